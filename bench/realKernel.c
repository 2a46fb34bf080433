/* The touch loop of bench/fault.bench.ts on the kernel that runs here: maps, writes one byte to each page, unmaps.
   Prints nanoseconds a fault, one line a round: "small N" for 4 KiB pages, "huge N" for PMD-sized ones where all came out huge. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#define PAGE 4096UL
#define HUGE (512 * PAGE)

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static long minor_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt;
}

/* One round; prints nothing when the number of faults is not the one that was to be measured. */
static void measure(const char *name, unsigned long bytes, unsigned long stride, int advice)
{
	/* room to begin at a multiple of 2 MiB */
	char *whole = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile char *p;
	long faults;
	double start, end;

	if (whole == MAP_FAILED)
		exit(1);
	p = (volatile char *)(((unsigned long)whole + HUGE - 1) & ~(HUGE - 1));
	if (madvise((void *)p, bytes, advice) == 0) {
		faults = minor_faults();
		start = now_ns();
		for (unsigned long at = 0; at < bytes; at += stride)
			p[at] = 1;
		end = now_ns();
		faults = minor_faults() - faults;
		/* a few faults of the clock and the counter are none of ours */
		if (faults >= (long)(bytes / stride) && faults < (long)(bytes / stride) + 16)
			printf("%s %.1f\n", name, (end - start) / (bytes / stride));
	}
	munmap(whole, bytes + HUGE);
}

int main(int argc, char **argv)
{
	unsigned long pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;
	int rounds = argc > 2 ? atoi(argv[2]) : 15;

	for (int i = 0; i < rounds; i++) {
		measure("small", pages * PAGE, PAGE, MADV_NOHUGEPAGE);
		measure("huge", pages * PAGE, HUGE, MADV_HUGEPAGE);
	}
	return 0;
}
