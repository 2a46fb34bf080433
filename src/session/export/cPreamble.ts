/** What every exported program begins with. It prints one line for each step: its number, the call, and what it returned. */
export const cPreamble = (definitions: string): string => `#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
${definitions}

/* number of the step whose turn it is, and the process that is just ending, shared by all processes; who this process is; the step it does */
static volatile int *turn;
static int me, step;

static void start(void) {
  int fd;
  setvbuf(stdout, NULL, _IONBF, 0);
  /* what was open already would take the numbers of ours */
  for (fd = 3; fd < 1024; fd++) close(fd);
  turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  /* a process that died must not keep the others waiting for ever */
  alarm(60);
}

/* what a process had goes while it ends: the next step waits until nothing but its number is left */
static void await_end(int pid) {
  char name[64], text[512];
  snprintf(name, sizeof name, "/proc/%d/stat", pid);
  for (;;) {
    FILE *file = fopen(name, "r");
    char *state = file != NULL && fgets(text, sizeof text, file) != NULL ? strrchr(text, ')') : NULL;
    if (file != NULL) fclose(file);
    if (state == NULL || state[2] == 'Z' || state[2] == 'X') return;
    usleep(100);
  }
}

static int begin(int n, int who) {
  step = n;
  /* every process is here before the next step begins, unless it has ended */
  while (*turn < n && me == who) usleep(100);
  if (me == who && turn[1] != 0) {
    await_end(turn[1]);
    turn[1] = 0;
  }
  return me == who;
}

static void end(int n) {
  if (*turn <= n) *turn = n + 1;
}

__attribute__((unused)) static void say(const char *call, long result) {
  if (result == -1) printf("%d %s = -1 %s\\n", step, call, strerror(errno));
  else printf("%d %s = %ld\\n", step, call, result);
}

__attribute__((unused)) static void say_address(const char *call, void *result) {
  if (result == MAP_FAILED) say(call, -1);
  else printf("%d %s = %p\\n", step, call, result);
}

__attribute__((unused)) static void say_exit(void) {
  printf("%d exit\\n", step);
  turn[1] = getpid();
  *turn = step + 1;
  while (wait(NULL) > 0) {
  }
  _exit(0);
}

__attribute__((unused)) static void make_child(int who) {
  pid_t pid = fork();
  if (pid == 0) {
    me = who;
    alarm(60);
    /* the parent tells of it and ends the step */
    while (*turn <= step) usleep(100);
  } else printf("%d fork = %s\\n", step, pid < 0 ? strerror(errno) : "child");
}

static int finish(void) {
  while (wait(NULL) > 0) {
  }
  return 0;
}
`;

/** A move to where the kernel of the session chose. */
export const C_MOVE = `
/* MREMAP_FIXED replaces what is there: only where nothing is */
static void say_moved(void *from, unsigned long old_bytes, unsigned long new_bytes, int flags, void *to) {
  void *place = mmap(to, new_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (place == MAP_FAILED) say("mremap", -1);
  else say_address("mremap", mremap(from, old_bytes, new_bytes, flags | MREMAP_FIXED, to));
}
`;

/** Accesses that survive their signals. */
export const C_TOUCH = `
static sigjmp_buf back;

static void caught(int number) { siglongjmp(back, number); }

/* reads or writes one byte at each place; a place that gives a signal is passed over */
__attribute__((unused)) static void touch(unsigned long at, unsigned long bytes, unsigned long stride, char how, int value) {
  volatile unsigned long done = 0, failed = 0, from = 0;
  volatile int first = 0;
  signal(SIGSEGV, caught);
  signal(SIGBUS, caught);
  for (;;) {
    int number = sigsetjmp(back, 1);
    if (number != 0) {
      if (failed++ == 0) first = number;
      from += stride;
    }
    if (from >= bytes) break;
    volatile unsigned char *place = (volatile unsigned char *)(at + from);
    if (how == 'w') *place = (unsigned char)value;
    else (void)*place;
    done++;
    from += stride;
  }
  printf("%d touch = %lu of %lu", step, done, done + failed);
  if (failed > 0) printf(", %s", first == SIGBUS ? "SIGBUS" : "SIGSEGV");
  printf("\\n");
}

__attribute__((unused)) static void run_code(unsigned long at) {
  void (*code)(void);
  int number;
  memcpy(&code, &at, sizeof code);
  signal(SIGSEGV, caught);
  signal(SIGBUS, caught);
  signal(SIGILL, caught);
  number = sigsetjmp(back, 1);
  if (number == 0) code();
  printf("%d touch = 0 of 1, signal %d\\n", step, number);
}

/* the kernel stores zeros for the process */
__attribute__((unused)) static void kread(unsigned long at, unsigned long bytes) {
  int zero = open("/dev/zero", O_RDONLY);
  say("kread", read(zero, (void *)at, bytes));
  close(zero);
}

/* the kernel reads for the process, one page at most */
__attribute__((unused)) static void kwrite(unsigned long at, unsigned long bytes) {
  int ends[2];
  if (pipe(ends) != 0) return;
  say("kwrite", write(ends[1], (void *)at, bytes < 4096 ? bytes : 4096));
  close(ends[0]);
  close(ends[1]);
}
`;
