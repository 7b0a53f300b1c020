// klauspost/reedsolomon as a peer of the area `erasure`; started and asked by support/native-erasure.ts, which says
// what is in FOLDER.
//
//	klauspost FOLDER k n shareBytes
//
// First proves that it gives the same shards, then answers each line "encode LEVEL" or "decode LEVEL" on stdin with
// "BYTES CPUSECONDS WALLSECONDS" on stdout: as many runs over one stripe as take 0.08 s of CPU, on one goroutine.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/klauspost/reedsolomon"
)

const sampleSeconds = 0.08

// Shards that start at the same place of a page would fight for the same lines of the first-level cache.
const gapBytes = 64

type peer struct {
	k, n, shareBytes int
	codes            map[string]reedsolomon.Encoder
	shards           [][]byte
	// 1 for each shard that a decode has.
	present []byte
	// The shards of a decode: an absent one is empty, with room.
	partial [][]byte
}

func main() {
	runtime.GOMAXPROCS(1)
	p := newPeer(os.Args[1], number(2), number(3), number(4))
	fmt.Println("ready avx2 best")
	for {
		var op, level string
		if _, err := fmt.Scan(&op, &level); err != nil {
			return
		}
		p.sample(op, p.codes[level])
	}
}

func newPeer(folder string, k, n, shareBytes int) *peer {
	expected := must(os.ReadFile(filepath.Join(folder, "shards")))
	p := &peer{k: k, n: n, shareBytes: shareBytes, codes: map[string]reedsolomon.Encoder{}}
	p.present = must(os.ReadFile(filepath.Join(folder, "present")))
	p.partial = make([][]byte, n)
	memory := make([]byte, n*(shareBytes+gapBytes))
	for i := range n {
		at := i * (shareBytes + gapBytes)
		shard := memory[at : at+shareBytes : at+shareBytes]
		copy(shard, expected[i*shareBytes:])
		p.shards = append(p.shards, shard)
	}
	one := reedsolomon.WithMaxGoroutines(1)
	avx2 := []reedsolomon.Option{one, reedsolomon.WithGFNI(false), reedsolomon.WithAVXGFNI(false), reedsolomon.WithAVX512(false)}
	p.codes["avx2"] = must(reedsolomon.New(k, n-k, avx2...))
	p.codes["best"] = must(reedsolomon.New(k, n-k, one))
	for _, code := range p.codes {
		for _, op := range []string{"encode", "decode"} {
			p.wipe(op)
			p.run(op, code)
			for i, shard := range p.shards {
				if !bytes.Equal(shard, expected[i*shareBytes:(i+1)*shareBytes]) {
					fail("other shards")
				}
			}
		}
	}
	return p
}

// wipe clears what an operation has to give.
func (p *peer) wipe(op string) {
	for i, shard := range p.shards {
		if (op == "encode" && i >= p.k) || (op == "decode" && i < p.k && p.present[i] == 0) {
			clear(shard)
		}
	}
}

func (p *peer) run(op string, code reedsolomon.Encoder) {
	if op == "encode" {
		check(code.Encode(p.shards))
		return
	}
	for i, shard := range p.shards {
		if p.partial[i] = shard; p.present[i] == 0 {
			p.partial[i] = shard[:0]
		}
	}
	check(code.ReconstructData(p.partial))
}

func (p *peer) sample(op string, code reedsolomon.Encoder) {
	wall, cpu, runs, used := time.Now(), cpuSeconds(), 0, 0.0
	for used < sampleSeconds {
		for range 16 {
			p.run(op, code)
			runs++
		}
		used = cpuSeconds() - cpu
	}
	fmt.Printf("%d %.6f %.6f\n", runs*p.k*p.shareBytes, used, time.Since(wall).Seconds())
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	micros := usage.Utime.Sec*1e6 + usage.Utime.Usec + usage.Stime.Sec*1e6 + usage.Stime.Usec
	return float64(micros) / 1e6
}

func number(index int) int { return must(strconv.Atoi(os.Args[index])) }

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, "klauspost:", text)
	os.Exit(1)
}
