/*
 * ISA-L as a peer of the area `erasure`; started and asked by support/native-erasure.ts, which says what is in FOLDER.
 *
 *   isal FOLDER k n shareBytes
 *
 * First proves that it gives the same shards, then answers each line "encode LEVEL" or "decode LEVEL" on stdin with
 * "BYTES CPUSECONDS WALLSECONDS" on stdout: as many runs over one stripe as take 0.08 s of CPU.
 */
#include <isa-l/erasure_code.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLE_SECONDS 0.08
#define SHARDS_MAX 256
/* Shards that start at the same place of a page would fight for the same lines of the first-level cache. */
#define GAP_BYTES 64

typedef void encoder(int, int, int, unsigned char *, unsigned char **, unsigned char **);
/* Exported by the library and left out of its header. */
extern encoder ec_encode_data_avx512;

struct job {
  int rows;
  unsigned char *tables;
  unsigned char *from[SHARDS_MAX];
  unsigned char *to[SHARDS_MAX];
};

static int k, n, share_bytes;
static unsigned char *shards;

static void fail(const char *text) {
  fprintf(stderr, "isal: %s\n", text);
  exit(1);
}

static unsigned char *file_of(const char *folder, const char *name, size_t bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  unsigned char *content = malloc(bytes);
  FILE *file = fopen(path, "rb");
  if (file == NULL || content == NULL || fread(content, 1, bytes, file) != bytes) fail(path);
  fclose(file);
  return content;
}

static unsigned char *shard(int index) {
  return shards + (size_t)index * (share_bytes + GAP_BYTES);
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static struct job job_of(const char *folder, const char *op, int rows) {
  char name[64];
  struct job job = {.rows = rows, .tables = aligned_alloc(64, ((size_t)32 * k * rows + 63) / 64 * 64)};
  snprintf(name, sizeof name, "%s-matrix", op);
  ec_init_tables(k, rows, file_of(folder, name, (size_t)k * rows), job.tables);
  snprintf(name, sizeof name, "%s-from", op);
  unsigned char *from = file_of(folder, name, k);
  for (int i = 0; i < k; i++) job.from[i] = shard(from[i]);
  snprintf(name, sizeof name, "%s-to", op);
  unsigned char *to = file_of(folder, name, rows);
  for (int i = 0; i < rows; i++) job.to[i] = shard(to[i]);
  return job;
}

static void run(struct job *job, encoder *encode) {
  encode(share_bytes, k, job->rows, job->tables, job->from, job->to);
}

static void check(struct job *job, encoder *encode, const unsigned char *expected) {
  for (int i = 0; i < job->rows; i++) memset(job->to[i], 0, share_bytes);
  run(job, encode);
  for (int i = 0; i < n; i++)
    if (memcmp(shard(i), expected + (size_t)i * share_bytes, share_bytes) != 0) fail("other shards");
}

static void sample(struct job *job, encoder *encode) {
  double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID), used;
  long runs = 0;
  do {
    for (int i = 0; i < 16; i++, runs++) run(job, encode);
    used = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  } while (used < SAMPLE_SECONDS);
  printf("%.0f %.6f %.6f\n", (double)runs * k * share_bytes, used, seconds(CLOCK_MONOTONIC) - wall);
}

int main(int count, char **words) {
  if (count != 5) fail("FOLDER k n shareBytes");
  const char *folder = words[1];
  k = atoi(words[2]), n = atoi(words[3]), share_bytes = atoi(words[4]);
  if (k < 1 || k >= n || n > SHARDS_MAX || share_bytes < 64) fail("bad numbers");
  unsigned char *expected = file_of(folder, "shards", (size_t)n * share_bytes);
  shards = aligned_alloc(64, ((size_t)n * (share_bytes + GAP_BYTES) + 63) / 64 * 64);
  for (int i = 0; i < n; i++) memcpy(shard(i), expected + (size_t)i * share_bytes, share_bytes);
  struct job encode = job_of(folder, "encode", n - k);
  struct job decode = job_of(folder, "decode", k < n - k ? k : n - k);
  int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl");
  if (!__builtin_cpu_supports("avx2")) fail("this machine has no AVX2");
  check(&encode, ec_encode_data_avx2, expected);
  check(&decode, ec_encode_data_avx2, expected);
  if (wide) check(&encode, ec_encode_data_avx512, expected);
  printf(wide ? "ready avx2 avx512\n" : "ready avx2\n");
  fflush(stdout);
  char op[16], level[16];
  while (scanf("%15s %15s", op, level) == 2) {
    sample(strcmp(op, "encode") == 0 ? &encode : &decode,
           strcmp(level, "avx512") == 0 ? ec_encode_data_avx512 : ec_encode_data_avx2);
    fflush(stdout);
  }
  return 0;
}
