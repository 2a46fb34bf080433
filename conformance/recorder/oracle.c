// oracle.c - real-kernel oracle for huge-page memory-management scripts.
// Reads a line-based script on stdin, prints one JSON object per line.
// driver process = observer; executors (P, children) = the observed mms.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <signal.h>
#include <setjmp.h>
#include <poll.h>
#include <sched.h>
#include <dirent.h>
#include <time.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#ifndef SHM_EXEC
#define SHM_EXEC 0100000
#endif
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#include <linux/perf_event.h>
typedef uint64_t u64; typedef int64_t s64;

/* ---------- constants missing from old headers ---------- */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define UFFD_API 0xAAull
struct u_range { u64 start, len; };
struct u_api { u64 api, features, ioctls; };
struct u_register { struct u_range range; u64 mode, ioctls; };
struct u_copy { u64 dst, src, len, mode; s64 copy; };
struct u_zero { struct u_range range; u64 mode; s64 zeropage; };
struct u_wp { struct u_range range; u64 mode; };
struct u_cont { struct u_range range; u64 mode; s64 mapped; };
struct u_poison { struct u_range range; u64 mode; s64 updated; };
struct u_move { u64 dst, src, len, mode; s64 move; };
#define UIO_API _IOWR(0xAA,0x3F,struct u_api)
#define UIO_REGISTER _IOWR(0xAA,0x00,struct u_register)
#define UIO_UNREGISTER _IOR(0xAA,0x01,struct u_range)
#define UIO_WAKE _IOR(0xAA,0x02,struct u_range)
#define UIO_COPY _IOWR(0xAA,0x03,struct u_copy)
#define UIO_ZERO _IOWR(0xAA,0x04,struct u_zero)
#define UIO_MOVE _IOWR(0xAA,0x05,struct u_move)
#define UIO_WP _IOWR(0xAA,0x06,struct u_wp)
#define UIO_CONT _IOWR(0xAA,0x07,struct u_cont)
#define UIO_POISON _IOWR(0xAA,0x08,struct u_poison)
struct u_msg { uint8_t event, r1; uint16_t r2; uint32_t r3;
  union { struct { u64 flags, address; uint32_t ptid; } pf; struct { uint32_t ufd; } fork;
          struct { u64 from, to, len; } remap; struct { u64 start, end; } rm; } a; } __attribute__((packed));
static const char *feat_names[] = {"pagefault_wp","event_fork","event_remap","event_remove","missing_hugetlbfs","missing_shmem","event_unmap","sigbus","thread_id","minor_hugetlbfs","minor_shmem","exact_address","wp_hugetlbfs_shmem","wp_unpopulated","poison","wp_async","move"};
struct pm_scan_arg { u64 size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask, category_anyof_mask, return_mask; };
struct page_region { u64 start, end, categories; };
#define PAGEMAP_SCAN _IOWR('f',16,struct pm_scan_arg)
#define PAGE_IS_HUGE (1<<6)

/* ---------- shared name table ---------- */
#define SLOT_BASE 0x1000000000ull     /* 64 GiB */
#define SLOT_SIZE 0x400000000ull      /* 16 GiB per name: own PUD entries, 1G aligned */
#define NSLOT 64
#define NPROC 8
struct ent { char n[16]; u64 base, len; };
struct fent { char n[16]; char path[160]; };
struct shment { char n[16]; int id; };
struct shared { int nslot, nfile, nshm; struct ent slot[NSLOT]; struct fent file[NSLOT]; struct shment shm[NSLOT]; int uffd_fd[NPROC]; };
static struct shared *sh;
static int sockp[NPROC][2];  /* [0]=driver side, [1]=executor side */

static u64 parse_num(const char *s, char **end) {
  u64 v = strtoull(s, end, 0); 
  switch (**end) { case 'k': case 'K': v <<= 10; (*end)++; break; case 'M': v <<= 20; (*end)++; break; case 'G': v <<= 30; (*end)++; break; case 'p': v <<= 12; (*end)++; break; }
  return v; }
static struct ent *slot_get(const char *n, int create) {
  for (int i = 0; i < sh->nslot; i++) if (!strcmp(sh->slot[i].n, n)) return &sh->slot[i];
  if (!create || sh->nslot >= NSLOT) return NULL;
  struct ent *e = &sh->slot[sh->nslot]; memset(e, 0, sizeof *e); strncpy(e->n, n, 15);
  e->base = SLOT_BASE + SLOT_SIZE * sh->nslot; sh->nslot++; return e; }
/* EXPR := NAME ([+-] NUM)* | NUM ; returns 0 ok */
static int parse_expr(const char *s, u64 *out, struct ent **pe) {
  if (pe) *pe = NULL; u64 v; char *e;
  if (*s >= '0' && *s <= '9') { v = parse_num(s, &e); }
  else { char nm[16]; int k = 0; while (*s && *s != '+' && *s != '-' && k < 15) nm[k++] = *s++; nm[k] = 0;
    struct ent *t = slot_get(nm, 1); if (!t) return -1; v = t->base; if (pe) *pe = t; e = (char *)s; }
  while (*e == '+' || *e == '-') { int neg = *e == '-'; u64 d = parse_num(e + 1, &e); v = neg ? v - d : v + d; }
  *out = v; return *e ? -1 : 0; }
static const char *sym(u64 a, char *b) {   /* b >= 48 bytes */
  if (a >= SLOT_BASE && a < SLOT_BASE + SLOT_SIZE * NSLOT) { int i = (a - SLOT_BASE) / SLOT_SIZE;
    if (i < sh->nslot) { sprintf(b, "%s+0x%llx", sh->slot[i].n, (unsigned long long)(a - sh->slot[i].base)); return b; } }
  if (a == 0) strcpy(b, "0"); else strcpy(b, "other"); return b; }
static int in_slots(u64 a) { return a >= SLOT_BASE && a < SLOT_BASE + SLOT_SIZE * NSLOT; }
static const char *fpath(const char *n) { for (int i = 0; i < sh->nfile; i++) if (!strcmp(sh->file[i].n, n)) return sh->file[i].path; return n; }
/* segments of SysV shared memory by name; those that a script leaves behind are removed when the recorder ends */
static int shmid_of(const char *n) { for (int i = 0; i < sh->nshm; i++) if (!strcmp(sh->shm[i].n, n)) return sh->shm[i].id; return -1; }
static void shm_set(const char *n, int id) { int i; for (i = 0; i < sh->nshm; i++) if (!strcmp(sh->shm[i].n, n)) break; if (i == NSLOT) return; if (i == sh->nshm) sh->nshm++; strncpy(sh->shm[i].n, n, 15); sh->shm[i].id = id; }
static void fset(const char *n, const char *p) { int i; for (i = 0; i < sh->nfile; i++) if (!strcmp(sh->file[i].n, n)) break; if (i == sh->nfile) sh->nfile++; strncpy(sh->file[i].n, n, 15); strncpy(sh->file[i].path, p, 159); }

static const char *ename(int e) { const char *n = strerrorname_np(e); return n ? n : e == 524 ? "ENOTSUPP" : "?"; }
#define OUTSZ 65536
struct sb { char *p; size_t n, cap; };
static void sbf(struct sb *s, const char *f, ...) { va_list a; va_start(a, f); if (s->n + 1 < s->cap) { int k = vsnprintf(s->p + s->n, s->cap - s->n, f, a); if (k > 0) s->n += k; if (s->n >= s->cap) s->n = s->cap - 1; } va_end(a); }
static void sbret(struct sb *o, s64 r, int e) { if (r == -1) sbf(o, "\"ret\":-1,\"errno\":\"%s\"", ename(e)); else sbf(o, "\"ret\":%lld", (long long)r); }

/* ====================== executor ====================== */
static sigjmp_buf jb; static volatile int jb_on; static volatile siginfo_t *dummy; static siginfo_t lastsi; static volatile int lastsig;
static volatile int async_code;
static void onfault(int sig, siginfo_t *si, void *uc) { if (!jb_on) { if (sig == SIGBUS && (si->si_code == 4 || si->si_code == 5)) { async_code = si->si_code; return; } signal(sig, SIG_DFL); return; } lastsig = sig; lastsi = *si; siglongjmp(jb, 1); }
static char exout[OUTSZ]; static char exin[4096]; static int my; static char *ubuf; static int zfd, nfd, pfd[2];
static const struct { const char *n; int v; } advs[] = { {"normal",0},{"random",1},{"sequential",2},{"willneed",3},{"dontneed",4},{"free",8},{"remove",9},{"dontfork",10},{"dofork",11},{"mergeable",12},{"unmergeable",13},{"hugepage",14},{"nohugepage",15},{"dontdump",16},{"dodump",17},{"wipeonfork",18},{"keeponfork",19},{"cold",20},{"pageout",21},{"populate_read",22},{"populate_write",23},{"dontneed_locked",24},{"collapse",25},{"hwpoison",100},{"soft_offline",101},{"guard_install",102},{"guard_remove",103},{"bogus",77},{0,0} };
static const char *sicode(int sig, int c, char *b) {
  if (sig == SIGSEGV) switch (c) { case 1: return "SEGV_MAPERR"; case 2: return "SEGV_ACCERR"; case 3: return "SEGV_BNDERR"; case 4: return "SEGV_PKUERR"; }
  if (sig == SIGBUS) switch (c) { case 1: return "BUS_ADRALN"; case 2: return "BUS_ADRERR"; case 3: return "BUS_OBJERR"; case 4: return "BUS_MCEERR_AR"; case 5: return "BUS_MCEERR_AO"; }
  sprintf(b, "%d", c); return b; }
static int parse_prot(const char *s) { int p = 0; if (!strcmp(s, "none")) return 0; for (; *s; s++) { if (*s == 'r') p |= PROT_READ; else if (*s == 'w') p |= PROT_WRITE; else if (*s == 'x') p |= PROT_EXEC; else return -1; } return p; }
static int one_touch(u64 a, char mode, int val, int *got) {   /* 0 ok, 1 fault */
  volatile unsigned char *p = (volatile unsigned char *)a;
  if (sigsetjmp(jb, 1)) { jb_on = 0; return 1; }
  jb_on = 1;
  if (mode == 'w') *p = val; else if (mode == 'r') *got = *p; else if (mode == 'x') ((void (*)(void))a)();
  jb_on = 0; return 0; }
static int dofork(int idx);
static u64 uapi_ioctls;
static const char *uioctl_names(u64 m, char *b) { static const char *nm[] = {"register","unregister","wake","copy","zeropage","move","writeprotect","continue","poison"}; b[0] = 0; for (int i = 0; i < 9; i++) if (m & (1ull << i)) { if (b[0]) strcat(b, ","); strcat(b, nm[i]); } if (m & (1ull<<0x3F)) { if (b[0]) strcat(b, ","); strcat(b, "api"); } return b; }
/* uffd ops shared by executor and driver */
static void uffd_op(int fd, int ac, char **av, struct sb *o, char *srcbuf) {
  char b[512]; u64 a = 0, len = 0; struct ent *e = NULL; int i = 2;
  const char *op = av[1];
  if (ac > i && parse_expr(av[i], &a, &e) == 0) i++;
  if (ac > i && av[i][0] >= '0' && av[i][0] <= '9') { char *x; len = parse_num(av[i], &x); i++; } else if (e) len = e->len - (a - e->base);
  u64 mode = 0, src = (u64)srcbuf, movesrc = 0; u64 xlen = len;
  for (; i < ac; i++) {
    if (!strcmp(op, "register")) { if (strstr(av[i], "missing")) mode |= 1; if (strstr(av[i], "wp")) mode |= 2; if (strstr(av[i], "minor")) mode |= 4; if (strstr(av[i], "bad")) mode |= 64; }
    else { if (!strcmp(av[i], "dontwake")) mode |= 1; else if (!strcmp(av[i], "wp")) mode |= 2; else if (!strcmp(av[i], "allow_holes")) mode |= 2; else if (!strcmp(av[i], "badmode")) mode |= 1 << 7;
      else if (!strncmp(av[i], "src=", 4)) { parse_expr(av[i] + 4, &src, NULL); movesrc = src; } } }
  (void)xlen;
  int r = -1, er = 0; s64 out = 0; const char *on = NULL;
  if (!strcmp(op, "register")) { struct u_register q = {{a, len}, mode, 0}; r = ioctl(fd, UIO_REGISTER, &q); er = errno; sbret(o, r, er); if (!r) sbf(o, ",\"ioctls\":\"%s\"", uioctl_names(q.ioctls, b)); return; }
  if (!strcmp(op, "unregister")) { struct u_range q = {a, len}; r = ioctl(fd, UIO_UNREGISTER, &q); er = errno; }
  else if (!strcmp(op, "wake")) { struct u_range q = {a, len}; r = ioctl(fd, UIO_WAKE, &q); er = errno; }
  else if (!strcmp(op, "copy")) { struct u_copy q = {a, src, len, mode, 0}; r = ioctl(fd, UIO_COPY, &q); er = errno; out = q.copy; on = "copy"; }
  else if (!strcmp(op, "zeropage")) { struct u_zero q = {{a, len}, mode, 0}; r = ioctl(fd, UIO_ZERO, &q); er = errno; out = q.zeropage; on = "zeropage"; }
  else if (!strcmp(op, "writeprotect")) { /* uffd writeprotect A len [wp] [dontwake]; wp mode bit0 WP, bit1 DONTWAKE */ u64 m = ((mode & 2) ? 1 : 0) | ((mode & 1) ? 2 : 0) | (mode & 128); struct u_wp q = {{a, len}, m}; r = ioctl(fd, UIO_WP, &q); er = errno; }
  else if (!strcmp(op, "continue")) { struct u_cont q = {{a, len}, mode, 0}; r = ioctl(fd, UIO_CONT, &q); er = errno; out = q.mapped; on = "mapped"; }
  else if (!strcmp(op, "poison")) { struct u_poison q = {{a, len}, mode, 0}; r = ioctl(fd, UIO_POISON, &q); er = errno; out = q.updated; on = "updated"; }
  else if (!strcmp(op, "move")) { struct u_move q = {a, movesrc, len, mode, 0}; r = ioctl(fd, UIO_MOVE, &q); er = errno; out = q.move; on = "move"; }
  else { sbf(o, "\"error\":\"unknown uffd op\""); return; }
  sbret(o, r, er); if (on) { if (out < 0) sbf(o, ",\"%s\":\"-%s\"", on, ename(-out)); else sbf(o, ",\"%s\":%lld", on, (long long)out); } }

static void ex_do(char *line, struct sb *o) {
  char *av[24]; int ac = 0; char *sv; char b1[64], b2[64];
  for (char *t = strtok_r(line, " \t", &sv); t && ac < 24; t = strtok_r(NULL, " \t", &sv)) av[ac++] = t;
  if (!ac) { sbf(o, "\"error\":\"empty\""); return; }
#define ERR(m) do { sbf(o, "\"error\":\"%s\"", m); return; } while (0)
  u64 a = 0, len = 0; struct ent *e; char *x;
  const char *op = av[0];
  if (!strcmp(op, "mmap")) {
    if (ac < 5) ERR("mmap NAME LEN PROT FLAGS..");
    e = slot_get(av[1], 1); if (!e) ERR("slot"); len = parse_num(av[2], &x); int prot = parse_prot(av[3]); int fl = 0, fd = -1; u64 off = 0, at = e->base; int noaddr = 0, fixed = 0; 
    for (int i = 4; i < ac; i++) { char *f = av[i];
      if (!strcmp(f, "private")) fl |= MAP_PRIVATE; else if (!strcmp(f, "shared")) fl |= MAP_SHARED; else if (!strcmp(f, "anon")) fl |= MAP_ANONYMOUS;
      else if (!strcmp(f, "shared_validate")) fl |= 3; else if (!strcmp(f, "sync")) fl |= MAP_SYNC; else if (!strcmp(f, "droppable")) fl |= 8;
      else if (!strcmp(f, "noreserve")) fl |= MAP_NORESERVE; else if (!strcmp(f, "populate")) fl |= MAP_POPULATE; else if (!strcmp(f, "locked")) fl |= MAP_LOCKED; else if (!strcmp(f, "nonblock")) fl |= MAP_NONBLOCK;
      else if (!strcmp(f, "stack")) fl |= MAP_STACK; else if (!strcmp(f, "growsdown")) fl |= MAP_GROWSDOWN; else if (!strcmp(f, "fixed")) fixed = 1; else if (!strcmp(f, "noaddr")) noaddr = 1;
      else if (!strcmp(f, "hugetlb")) fl |= MAP_HUGETLB; else if (!strcmp(f, "hugetlb2M")) fl |= MAP_HUGETLB | (21 << 26) | MAP_ANONYMOUS; else if (!strcmp(f, "hugetlb1G")) fl |= MAP_HUGETLB | (30 << 26) | MAP_ANONYMOUS; else if (!strcmp(f, "hugetlb4M")) fl |= MAP_HUGETLB | (22 << 26) | MAP_ANONYMOUS;
      else if (!strcmp(f, "shm")) fl |= MAP_ANONYMOUS;
      else if (!strncmp(f, "file=", 5)) { fd = open(fpath(f + 5), (prot & PROT_WRITE) || 1 ? O_RDWR : O_RDONLY); if (fd < 0) fd = open(fpath(f + 5), O_RDONLY); if (fd < 0) { sbret(o, -1, errno); sbf(o, ",\"what\":\"open\""); return; } }
      else if (!strncmp(f, "rofile=", 7)) { fd = open(fpath(f + 7), O_RDONLY); if (fd < 0) { sbret(o, -1, errno); sbf(o, ",\"what\":\"open\""); return; } }
      else if (!strncmp(f, "off=", 4)) off = parse_num(f + 4, &x);
      else if (!strncmp(f, "at=", 3)) { if (parse_expr(f + 3, &at, NULL)) ERR("at"); }
      else ERR("mmap flag"); }
    void *p = mmap(noaddr ? NULL : (void *)at, len, prot, fl | (noaddr ? 0 : fixed ? MAP_FIXED : MAP_FIXED_NOREPLACE), fd, off); int er = errno; if (fd >= 0) close(fd);
    if (p == MAP_FAILED) sbret(o, -1, er);
    else { if (!noaddr && at + len - e->base > e->len && at >= e->base && at < e->base + SLOT_SIZE) e->len = at + len - e->base; sbf(o, "\"ret\":\"%s\"", sym((u64)p, b1)); if (noaddr) sbf(o, ",\"align\":%d", __builtin_ctzll((u64)p)); }
    return; }
  /* ops with EXPR [LEN] */
#define ADDRLEN(min) int ai = 2; if (ac < 2 || parse_expr(av[1], &a, &e)) ERR("addr"); if (ac > 2 && av[2][0] >= '0' && av[2][0] <= '9') { len = parse_num(av[2], &x); ai = 3; } else len = e ? e->len - (a - e->base) : 0; (void)ai;
  if (!strcmp(op, "munmap")) { ADDRLEN(1); int r = munmap((void *)a, len); sbret(o, r, errno); return; }
  if (!strcmp(op, "mprotect")) { ADDRLEN(1); if (ac <= ai) ERR("prot"); int pr = parse_prot(av[ai]); int r = mprotect((void *)a, len, pr); sbret(o, r, errno); return; }
  if (!strcmp(op, "madvise")) { ADDRLEN(1); if (ac <= ai) ERR("advice"); int ad = -1; for (int i = 0; advs[i].n; i++) if (!strcmp(advs[i].n, av[ai])) ad = advs[i].v; if (ad < 0) ad = atoi(av[ai]); int r = madvise((void *)a, len, ad); sbret(o, r, errno); return; }
  if (!strcmp(op, "mlock")) { ADDRLEN(1); int r = mlock((void *)a, len); sbret(o, r, errno); return; }
  if (!strcmp(op, "mlock2")) { ADDRLEN(1); int r = syscall(SYS_mlock2, a, len, ac > ai && !strcmp(av[ai], "onfault") ? 1 : 0); sbret(o, r, errno); return; }
  if (!strcmp(op, "munlock")) { ADDRLEN(1); int r = munlock((void *)a, len); sbret(o, r, errno); return; }
  if (!strcmp(op, "msync")) { ADDRLEN(1); int r = msync((void *)a, len, MS_SYNC); sbret(o, r, errno); return; }
  if (!strcmp(op, "mseal")) { ADDRLEN(1); int r = syscall(462, a, len, 0); sbret(o, r, errno); return; }
  if (!strcmp(op, "mincore")) { ADDRLEN(1); static unsigned char v[8192]; if (len / 4096 > sizeof v) ERR("mincore too long"); int r = mincore((void *)a, len, v); int er = errno; sbret(o, r, er); if (!r) { sbf(o, ",\"incore\":\""); u64 n = (len + 4095) / 4096; for (u64 i = 0; i < n;) { u64 j = i; while (j < n && (v[j] & 1) == (v[i] & 1)) j++; sbf(o, "%s%dx%llu", i ? "," : "", v[i] & 1, (unsigned long long)(j - i)); i = j; } sbf(o, "\""); } return; }
  if (!strcmp(op, "mremap")) { /* mremap EXPR OLD NEW [maymove] [fixed=EXPR] [dontunmap] */
    if (ac < 4 || parse_expr(av[1], &a, &e)) ERR("mremap"); u64 ol = parse_num(av[2], &x), nl = parse_num(av[3], &x), na = 0; int fl = 0; struct ent *ne = NULL;
    for (int i = 4; i < ac; i++) { if (!strcmp(av[i], "maymove")) fl |= 1; else if (!strncmp(av[i], "fixed=", 6)) { fl |= 3; parse_expr(av[i] + 6, &na, &ne); } else if (!strcmp(av[i], "dontunmap")) fl |= 4; }
    void *p = mremap((void *)a, ol, nl, fl, na); int er = errno; if (p == MAP_FAILED) sbret(o, -1, er); else { sbf(o, "\"ret\":\"%s\"", sym((u64)p, b1)); if (ne && na + nl - ne->base > ne->len) ne->len = na + nl - ne->base; else if (e && (u64)p == a && a + nl - e->base > e->len) e->len = a + nl - e->base; } return; }
  if (!strcmp(op, "touch")) { ADDRLEN(1); u64 step = 4096; char mode = 'r'; int val = 0x41; int one = !(ac > 2 && av[2][0] >= '0' && av[2][0] <= '9');
    for (int i = ai; i < ac; i++) { if (!strcmp(av[i], "w") || !strcmp(av[i], "r") || !strcmp(av[i], "x")) mode = av[i][0]; else if (!strncmp(av[i], "step=", 5)) step = parse_num(av[i] + 5, &x); else if (!strncmp(av[i], "v=", 2)) val = strtol(av[i] + 2, 0, 0); else if (!strcmp(av[i], "all")) one = 0; }
    if (one) len = 1; static struct { u64 at, n; int sig, code, lsb; u64 si; } rs[64]; int nr = 0; u64 n = 0, ok = 0; int got = 0, firstval = -1; unsigned sum = 0;
    static volatile u64 cur; for (cur = a; cur < a + len; cur += step) { n++; got = 0; if (!one_touch(cur, mode, val, &got)) { ok++; if (mode == 'r') { if (firstval < 0) firstval = got; sum += got; } }
      else { char t[16]; (void)t; int lsb = 0; if (lastsig == SIGBUS && (lastsi.si_code == 4 || lastsi.si_code == 5)) lsb = lastsi.si_addr_lsb;
        if (nr && rs[nr-1].sig == lastsig && rs[nr-1].code == lastsi.si_code && rs[nr-1].at + rs[nr-1].n * step == cur) rs[nr-1].n++; else if (nr < 64) { rs[nr].at = cur; rs[nr].n = 1; rs[nr].sig = lastsig; rs[nr].code = lastsi.si_code; rs[nr].si = (u64)lastsi.si_addr; rs[nr].lsb = lsb; nr++; } } }
    sbf(o, "\"cnt\":%llu,\"ok\":%llu", (unsigned long long)n, (unsigned long long)ok); if (mode == 'r' && ok) sbf(o, ",\"val\":%d,\"sum\":%u", firstval, sum);
    if (nr) { sbf(o, ",\"sig\":["); for (int i = 0; i < nr; i++) { sbf(o, "%s{\"at\":\"%s\",\"n\":%llu,\"sig\":\"%s\",\"code\":\"%s\",\"si_addr\":\"%s\"", i ? "," : "", sym(rs[i].at, b1), (unsigned long long)rs[i].n, rs[i].sig == SIGBUS ? "SIGBUS" : "SIGSEGV", sicode(rs[i].sig, rs[i].code, exin + 4000), sym(rs[i].si, b2)); if (rs[i].lsb) sbf(o, ",\"lsb\":%d", rs[i].lsb); sbf(o, "}"); } sbf(o, "]"); } return; }
  if (!strcmp(op, "kread") || !strcmp(op, "kwrite")) { /* kread: kernel writes into user addr (read(/dev/zero)); kwrite: kernel reads user addr (write(pipe)) */
    if (ac < 2 || parse_expr(av[1], &a, &e)) ERR("addr"); len = ac > 2 ? parse_num(av[2], &x) : 1; ssize_t r; if (op[1] == 'r') r = read(zfd, (void *)a, len); else { if (len > 4096) len = 4096; r = write(pfd[1], (void *)a, len); int er = errno; if (r > 0) { static char t[4096]; (void)!read(pfd[0], t, r); } errno = er; } sbret(o, r, errno); return; }
  if (!strcmp(op, "mlockall")) { int f = 0; for (int i = 1; i < ac; i++) { if (!strcmp(av[i], "current")) f |= 1; if (!strcmp(av[i], "future")) f |= 2; if (!strcmp(av[i], "onfault")) f |= 4; } int r = mlockall(f); sbret(o, r, errno); return; }
  if (!strcmp(op, "munlockall")) { int r = munlockall(); sbret(o, r, errno); return; }
  if (!strcmp(op, "prctl")) { if (ac < 3) ERR("prctl"); int r; if (!strcmp(av[1], "thp_disable")) { unsigned long v = 1, f = 0; if (!strcmp(av[2], "except")) f = 2; else v = strtoul(av[2], 0, 0); r = prctl(PR_SET_THP_DISABLE, v, f, 0, 0); } else if (!strcmp(av[1], "get_thp_disable")) r = prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0); else if (!strcmp(av[1], "memory_merge")) r = prctl(67, strtoul(av[2], 0, 0), 0, 0, 0); else r = prctl(strtoul(av[1], 0, 0), strtoul(av[2], 0, 0), 0, 0, 0); sbret(o, r, errno); return; }
  if (!strcmp(op, "rlimit")) { if (ac < 3) ERR("rlimit"); u64 v = parse_num(av[2], &x); struct rlimit rl = {v, v}; int r = setrlimit(!strcmp(av[1], "memlock") ? RLIMIT_MEMLOCK : !strcmp(av[1], "as") ? RLIMIT_AS : RLIMIT_DATA, &rl); sbret(o, r, errno); return; }
  if (!strcmp(op, "falloc")) { /* falloc F mode off len ; mode alloc|punch|zero|collapse|keep */ if (ac < 5) ERR("falloc"); int m = !strcmp(av[2], "punch") ? 3 : !strcmp(av[2], "zero") ? 0x10 : !strcmp(av[2], "collapse") ? 8 : !strcmp(av[2], "keep") ? 1 : 0; int fd = open(fpath(av[1]), O_RDWR); if (fd < 0) { sbret(o, -1, errno); return; } int r = fallocate(fd, m, parse_num(av[3], &x), parse_num(av[4], &x)); sbret(o, r, errno); close(fd); return; }
  if (!strcmp(op, "truncate")) { int fd = open(fpath(av[1]), O_RDWR); if (fd < 0) { sbret(o, -1, errno); return; } int r = ftruncate(fd, parse_num(av[2], &x)); sbret(o, r, errno); close(fd); return; }
  if (!strcmp(op, "fwrite") || !strcmp(op, "fread")) { /* fwrite F off len [val] */ if (ac < 4) ERR("f"); int wr = op[1] == 'w'; int fd = open(fpath(av[1]), wr ? O_RDWR : O_RDONLY); if (fd < 0) { sbret(o, -1, errno); return; } u64 of = parse_num(av[2], &x), l = parse_num(av[3], &x); int val = ac > 4 ? strtol(av[4], 0, 0) : 0x46; s64 tot = 0; int er = 0; unsigned first = 0; static char chunk[65536]; memset(chunk, val, sizeof chunk); while (l) { u64 c = l > sizeof chunk ? sizeof chunk : l; ssize_t r = wr ? pwrite(fd, chunk, c, of) : pread(fd, chunk, c, of); if (r <= 0) { if (r < 0) er = errno; break; } if (!tot) first = (unsigned char)chunk[0]; tot += r; of += r; l -= r; } if (!tot && er) sbret(o, -1, er); else { sbret(o, tot, 0); if (er) sbf(o, ",\"errno\":\"%s\"", ename(er)); if (!wr) sbf(o, ",\"val\":%u", first); } close(fd); return; }
  if (!strcmp(op, "fadvise")) { int fd = open(fpath(av[1]), O_RDONLY); if (fd < 0) { sbret(o, -1, errno); return; } int r = posix_fadvise(fd, parse_num(av[2], &x), parse_num(av[3], &x), !strcmp(av[4], "dontneed") ? 4 : !strcmp(av[4], "willneed") ? 3 : 0); if (r) sbret(o, -1, r); else sbret(o, 0, 0); close(fd); return; }
  if (!strcmp(op, "fsync")) { int fd = open(fpath(av[1]), O_RDWR); int r = fsync(fd); sbret(o, r, errno); close(fd); return; }
  if (!strcmp(op, "shmget")) { /* shmget S SIZE [key=N] [create] [excl] [noreserve] */ if (ac < 3) ERR("shmget"); key_t key = IPC_PRIVATE; int fl = 0600; len = parse_num(av[2], &x);
    for (int i = 3; i < ac; i++) { if (!strncmp(av[i], "key=", 4)) key = parse_num(av[i] + 4, &x); else if (!strcmp(av[i], "create")) fl |= IPC_CREAT; else if (!strcmp(av[i], "excl")) fl |= IPC_EXCL; else if (!strcmp(av[i], "noreserve")) fl |= SHM_NORESERVE; else ERR("shmget flag"); }
    int id = shmget(key, len, fl); if (id >= 0) shm_set(av[1], id); sbret(o, id < 0 ? -1 : 0, errno); return; }
  if (!strcmp(op, "shmat")) { /* shmat NAME S [rdonly] [exec] [rnd] [remap] [noaddr] [at=E] */ if (ac < 3) ERR("shmat"); e = slot_get(av[1], 1); if (!e) ERR("slot"); u64 at = e->base; int fl = 0, noaddr = 0, id = shmid_of(av[2]);
    for (int i = 3; i < ac; i++) { if (!strcmp(av[i], "rdonly")) fl |= SHM_RDONLY; else if (!strcmp(av[i], "exec")) fl |= SHM_EXEC; else if (!strcmp(av[i], "rnd")) fl |= SHM_RND; else if (!strcmp(av[i], "remap")) fl |= SHM_REMAP; else if (!strcmp(av[i], "noaddr")) noaddr = 1; else if (!strncmp(av[i], "at=", 3)) { if (parse_expr(av[i] + 3, &at, NULL)) ERR("at"); } else ERR("shmat flag"); }
    struct shmid_ds ds; memset(&ds, 0, sizeof ds); shmctl(id, IPC_STAT, &ds); void *p = shmat(id, noaddr ? NULL : (void *)at, fl); if (p == (void *)-1) { sbret(o, -1, errno); return; }
    u64 end = (u64)p + ds.shm_segsz; if (!noaddr && (u64)p >= e->base && (u64)p < e->base + SLOT_SIZE && end - e->base > e->len) e->len = end - e->base;
    sbf(o, "\"ret\":\"%s\"", sym((u64)p, b1)); if (noaddr) sbf(o, ",\"align\":%d", __builtin_ctzll((u64)p)); return; }
  if (!strcmp(op, "shmdt")) { if (ac < 2 || parse_expr(av[1], &a, &e)) ERR("addr"); int r = shmdt((void *)a); sbret(o, r, errno); return; }
  if (!strcmp(op, "shmctl")) { /* shmctl S rmid|stat */ if (ac < 3) ERR("shmctl"); int id = shmid_of(av[1]); if (!strcmp(av[2], "rmid")) { int r = shmctl(id, IPC_RMID, NULL); sbret(o, r, errno); return; }
    if (strcmp(av[2], "stat")) ERR("shmctl"); struct shmid_ds ds; int r = shmctl(id, IPC_STAT, &ds); sbret(o, r, errno); if (!r) sbf(o, ",\"val\":\"nattch=%lu size=%lu mode=%o\"", (unsigned long)ds.shm_nattch, (unsigned long)ds.shm_segsz, ds.shm_perm.mode); return; }
  if (!strcmp(op, "fork")) { int idx = atoi(av[2]); int r = dofork(idx); if (r == 0) { /* child: no output for this op */ o->n = 0; o->p[0] = 0; return; } sbret(o, r, errno); return; }
  if (!strcmp(op, "exit")) { sbf(o, "\"ret\":0"); (void)!write(sockp[my][1], o->p, o->n); _exit(0); }
  if (!strcmp(op, "uffd")) {
    if (!strcmp(av[1], "open")) { u64 ft = 0, bad = 0; for (int i = 2; i < ac; i++) { if (!strcmp(av[i], "badapi")) { bad = 1; continue; } if (!strcmp(av[i], "badfeature")) { ft |= 1ull << 60; continue; } int k = -1; for (unsigned j = 0; j < sizeof feat_names / sizeof *feat_names; j++) if (!strcmp(av[i], feat_names[j])) k = j; if (k < 0) ERR("feature"); ft |= 1ull << k; }
      int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK); if (fd < 0) { sbret(o, -1, errno); return; }
      struct u_api q = { bad ? 0x55 : UFFD_API, ft, 0 }; int r = ioctl(fd, UIO_API, &q); int er = errno; if (r) { sbret(o, r, er); close(fd); return; }
      sh->uffd_fd[my] = fd; sbf(o, "\"ret\":0,\"features\":\""); for (unsigned j = 0, f = 1; j < sizeof feat_names / sizeof *feat_names; j++) if (q.features & (1ull << j)) { sbf(o, "%s%s", f ? "" : ",", feat_names[j]); f = 0; } char bb[256]; sbf(o, "\",\"ioctls\":\"%s\"", uioctl_names(q.ioctls, bb)); return; }
    if (!strcmp(av[1], "close")) { int r = close(sh->uffd_fd[my]); sh->uffd_fd[my] = -1; sbret(o, r, errno); return; }
    if (sh->uffd_fd[my] < 0) ERR("no uffd"); uffd_op(sh->uffd_fd[my], ac, av, o, ubuf); return; }
  ERR("unknown op"); }

static void ex_loop(int idx) {
  my = idx;
  for (;;) { ssize_t n = read(sockp[my][1], exin, 3900); if (n <= 0) _exit(0); exin[n] = 0; struct sb o = { exout, 0, OUTSZ }; exout[0] = 0; async_code = 0; ex_do(exin, &o); if (o.n && async_code) sbf(&o, ",\"async_sig\":\"%s\"", async_code == 4 ? "BUS_MCEERR_AR" : "BUS_MCEERR_AO"); if (o.n) (void)!write(sockp[my][1], o.p, o.n); } }
static int dofork(int idx) { pid_t p = fork(); if (p == 0) { my = idx; } return p; }
static void ex_main(int idx) {
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0); prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction sa; memset(&sa, 0, sizeof sa); sa.sa_sigaction = onfault; sa.sa_flags = SA_SIGINFO | SA_NODEFER; sigaction(SIGSEGV, &sa, 0); sigaction(SIGBUS, &sa, 0); signal(SIGCHLD, SIG_IGN);
  zfd = open("/dev/zero", O_RDONLY); (void)nfd; (void)!pipe(pfd);
  ubuf = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); madvise(ubuf, 4 << 20, MADV_NOHUGEPAGE); memset(ubuf, 0x5a, 4 << 20);
  memset(exout, 1, sizeof exout); memset(exin, 1, sizeof exin);
  { volatile char st[65536]; for (unsigned i = 0; i < sizeof st; i += 512) st[i] = 1; }
  FILE *f = fopen("/proc/self/maps", "r"); char l[512]; while (fgets(l, sizeof l, f)) { unsigned long s, e; if (sscanf(l, "%lx-%lx", &s, &e) == 2) madvise((void *)s, e - s, MADV_NOHUGEPAGE); } fclose(f);
  ex_loop(idx); }

/* ====================== driver ====================== */
struct proc { char n[16]; pid_t pid; int live, blocked, uffd, perf; void *ring; int pidfd; u64 minflt, majflt, out_faults; char *laststate; };
static struct proc pr[NPROC]; static int ringpages = 64; static u64 base_pte, base_size; static int have_scan = 1;
static char mntdirs[16][160]; static int nmnt; static int zram_on; static char zram_dev[32];
static struct { char path[200]; char val[256]; } saved[128]; static int nsaved; static int drv_memfd[32], ndrv;
static char *slurp(const char *p, char *b, size_t n) { int fd = open(p, O_RDONLY); if (fd < 0) { b[0] = 0; return NULL; } size_t t = 0; ssize_t r; while (t < n - 1 && (r = read(fd, b + t, n - 1 - t)) > 0) t += r; b[t] = 0; close(fd); return b; }
static int wr(const char *p, const char *v) { int fd = open(p, O_WRONLY | O_TRUNC); if (fd < 0) return -errno; ssize_t r = write(fd, v, strlen(v)); int e = errno; close(fd); return r < 0 ? -e : 0; }
static void selbr(char *v) { char *a = strchr(v, '['), *b = a ? strchr(a, ']') : NULL; if (a && b) { memmove(v, a + 1, b - a - 1); v[b - a - 1] = 0; } char *nl = strchr(v, '\n'); if (nl) *nl = 0; }
static void save(const char *p) { for (int i = 0; i < nsaved; i++) if (!strcmp(saved[i].path, p)) return; if (nsaved >= 128) return; char b[256]; if (!slurp(p, b, sizeof b)) return; selbr(b); strncpy(saved[nsaved].path, p, 199); strncpy(saved[nsaved].val, b, 255); nsaved++; }
/* reservations of huge pages that nobody holds any more: kernels lose some for good (a part of a private mapping that mremap moves away). They and the pages that are kept
   for them are taken off what is shown, and added to what is asked for */
static unsigned long long lost_resv[2]; static const char *hsize[] = {"2048kB", "1048576kB"};
static int pool_of(const char *p) { if (!strcmp(p, "/proc/sys/vm/nr_hugepages")) return 0; for (int i = 0; i < 2; i++) { char q[128]; sprintf(q, "/sys/kernel/mm/hugepages/hugepages-%s/nr_hugepages", hsize[i]); if (!strcmp(p, q)) return i; } return -1; }
static int setsys(const char *p, const char *v) { save(p); int i = pool_of(p); char *e; unsigned long long n = strtoull(v, &e, 10); if (i < 0 || !lost_resv[i] || e == v) return wr(p, v); char b[32]; sprintf(b, "%llu", n + lost_resv[i]); return wr(p, b); }
static void alias(const char *a, char *o) { static const struct { const char *a, *p; } al[] = { {"thp/", "/sys/kernel/mm/transparent_hugepage/"}, {"hugetlb/", "/sys/kernel/mm/hugepages/hugepages-"}, {"vm/", "/proc/sys/vm/"}, {"ksm/", "/sys/kernel/mm/ksm/"}, {"mthp/", "/sys/kernel/mm/transparent_hugepage/hugepages-"}, {"khp/", "/sys/kernel/mm/transparent_hugepage/khugepaged/"}, {"debug/", "/sys/kernel/debug/"}, {"memcg/", "/sys/fs/cgroup/memory/oracle/"}, {0, 0} };
  for (int i = 0; al[i].a; i++) if (!strncmp(a, al[i].a, strlen(al[i].a))) { sprintf(o, "%s%s", al[i].p, a + strlen(al[i].a)); return; } strcpy(o, a); }
static int cleaned; static pid_t anchor;
static void cleanup(void) { if (cleaned) return; cleaned = 1;
  { sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL); } /* a second signal must not cut the restoring short */
  for (int i = 0; i < NPROC; i++) if (pr[i].live && pr[i].pid > 0) { kill(pr[i].pid, SIGKILL); char p[64]; sprintf(p, "/proc/%d", pr[i].pid); for (int k = 0; k < 2000 && !access(p, F_OK); k++) { waitpid(-1, 0, WNOHANG); usleep(1000); } }
  if (anchor > 0) kill(anchor, SIGKILL);
  for (int i = 0; i < ndrv; i++) close(drv_memfd[i]);
  for (int i = 0; sh && i < sh->nshm; i++) shmctl(sh->shm[i].id, IPC_RMID, NULL);
  for (int i = nmnt - 1; i >= 0; i--) { umount2(mntdirs[i], 0); rmdir(mntdirs[i]); }
  if (zram_on) { swapoff(zram_dev); wr("/sys/block/zram0/reset", "1"); }
  wr("/sys/kernel/mm/ksm/run", "2");
  for (int i = nsaved - 1; i >= 0; i--) wr(saved[i].path, saved[i].val);
  rmdir("/sys/fs/cgroup/memory/oracle"); rmdir("/sys/fs/cgroup/oracle"); }
/* children inherit the handler (a terminal's Ctrl-C reaches all of them): only the driver puts settings back */
static pid_t driver;
static void onterm(int s) { if (getpid() == driver) cleanup(); _exit(128 + s); }
/* settings are global, so two recorders never run at once: the kernel drops the lock when its holder ends, however it ends */
static int lock_fd = -1;
static int lock_recorder(void) { static const char *paths[] = { "/run/hugelab-recorder.lock", "/tmp/hugelab-recorder.lock" };
  for (int i = 0; i < 2 && lock_fd < 0; i++) lock_fd = open(paths[i], O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_fd < 0) { fprintf(stderr, "no lock file: %s\n", strerror(errno)); return 0; }
  for (int k = 0; k < 6000; k++) { if (!flock(lock_fd, LOCK_EX | LOCK_NB)) return 1; usleep(20000); }
  fprintf(stderr, "another recorder is running\n"); return 0; }

static u64 sysnum(const char *p) { char b[64]; int fd = open(p, O_RDONLY); if (fd < 0) return 0; ssize_t n = read(fd, b, 63); close(fd); if (n <= 0) return 0; b[n] = 0; return strtoull(b, 0, 10); }
static u64 fdnum(int fd) { char b[64]; ssize_t n = pread(fd, b, 63, 0); if (n <= 0) return 0; b[n] = 0; return strtoull(b, 0, 10); }
/* counters */
static struct { char k[64]; u64 v; } vm0[256]; static int nvm0;
static struct { char k[96]; u64 v; } mt0[256]; static int nmt0;
static int vmkey(const char *k) { static const char *pre[] = {"thp_", "htlb_", "swpin_zero", "swpout_zero", "pswp", "ksm_", "cow_ksm", "pglazyfree", "zswp", "pgmigrate", "hugetlb", 0}; for (int i = 0; pre[i]; i++) if (!strncmp(k, pre[i], strlen(pre[i]))) return 1; return 0; }
static void vmdelta(struct sb *o, int emit) {
  static char b[65536]; slurp("/proc/vmstat", b, sizeof b); char *sv; int first = 1; if (emit) sbf(o, ",\"dv\":{");
  for (char *l = strtok_r(b, "\n", &sv); l; l = strtok_r(NULL, "\n", &sv)) { char *sp = strchr(l, ' '); if (!sp) continue; *sp = 0; if (!vmkey(l)) continue; u64 v = strtoull(sp + 1, 0, 10); int i; for (i = 0; i < nvm0; i++) if (!strcmp(vm0[i].k, l)) break; if (i == nvm0) { nvm0++; strncpy(vm0[i].k, l, 63); vm0[i].v = v; if (!emit) continue; }
    if (emit && v != vm0[i].v) { sbf(o, "%s\"%s\":%lld", first ? "" : ",", l, (long long)(v - vm0[i].v)); first = 0; } vm0[i].v = v; }
  if (emit) sbf(o, "}");
  first = 1; if (emit) sbf(o, ",\"dm\":{"); int idx = 0;
  for (int ord = 1; ord <= 9; ord++) { char d[128]; sprintf(d, "/sys/kernel/mm/transparent_hugepage/hugepages-%dkB/stats", 4 << ord); static char names[10][48][40]; static int nn[10] = {[0 ... 9] = -1};
    if (nn[ord] < 0) { nn[ord] = 0; DIR *dp = opendir(d); if (dp) { struct dirent *de; while ((de = readdir(dp)) && nn[ord] < 48) if (de->d_name[0] != '.') strncpy(names[ord][nn[ord]++], de->d_name, 39); closedir(dp); qsort(names[ord], nn[ord], 40, (int (*)(const void *, const void *))strcmp); } }
    for (int j = 0; j < nn[ord]; j++, idx++) { if (idx >= 256) continue; static int sfd[256]; if (!sfd[idx]) { char p[200]; sprintf(p, "%s/%s", d, names[ord][j]); sfd[idx] = open(p, O_RDONLY | O_CLOEXEC); } u64 v = fdnum(sfd[idx]); if (emit && v != mt0[idx].v) { sbf(o, "%s\"%dkB.%s\":%lld", first ? "" : ",", 4 << ord, names[ord][j], (long long)(v - mt0[idx].v)); first = 0; } mt0[idx].v = v; } }
  if (emit) sbf(o, "}"); }
static void pools(struct sb *o) { static const char *sz[] = {"2048kB", "1048576kB"}; sbf(o, ",\"pool\":{"); int f = 1; for (int i = 0; i < 2; i++) { char p[128]; u64 v[5]; static const char *k[] = {"nr_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages", "nr_overcommit_hugepages"}; u64 any = 0; for (int j = 0; j < 5; j++) { sprintf(p, "/sys/kernel/mm/hugepages/hugepages-%s/%s", sz[i], k[j]); v[j] = sysnum(p); if (j < 3) v[j] -= v[j] < lost_resv[i] ? v[j] : lost_resv[i]; any |= v[j]; } if (any) { sbf(o, "%s\"%s\":[%llu,%llu,%llu,%llu,%llu]", f ? "" : ",", sz[i], (unsigned long long)v[0], (unsigned long long)v[1], (unsigned long long)v[2], (unsigned long long)v[3], (unsigned long long)v[4]); f = 0; } } sbf(o, "}"); }
static s64 mi0[16]; static const char *mik[] = {"AnonHugePages:", "ShmemHugePages:", "ShmemPmdMapped:", "FileHugePages:", "FilePmdMapped:", "Hugetlb:", "Mlocked:", "Unevictable:", 0};
static void meminfo(struct sb *o, int init) { static char b[8192]; wr("/proc/sys/vm/stat_refresh", "1"); slurp("/proc/meminfo", b, sizeof b); if (!init) sbf(o, ",\"mi\":{"); int f = 1; for (int i = 0; mik[i]; i++) { char *p = b; size_t kl = strlen(mik[i]); while (p && strncmp(p, mik[i], kl)) { p = strchr(p, '\n'); if (p) p++; } s64 v = p ? strtoll(p + kl, 0, 10) : 0; if (init) mi0[i] = v; else if (v != mi0[i] && i < 6) { sbf(o, "%s\"%.*s\":%lld", f ? "" : ",", (int)kl - 1, mik[i], (long long)(v - mi0[i])); f = 0; } } if (!init) sbf(o, "}"); }
/* perf faults */
static void perf_open(struct proc *p) { struct perf_event_attr at; memset(&at, 0, sizeof at); at.type = PERF_TYPE_SOFTWARE; at.size = sizeof at; at.config = PERF_COUNT_SW_PAGE_FAULTS; at.sample_period = 1; at.sample_type = PERF_SAMPLE_ADDR; at.exclude_hv = 1; p->perf = syscall(SYS_perf_event_open, &at, p->pid, -1, -1, PERF_FLAG_FD_CLOEXEC); if (p->perf < 0) { p->ring = NULL; return; } p->ring = mmap(NULL, (1 + ringpages) * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, p->perf, 0); if (p->ring == MAP_FAILED) p->ring = NULL; }
static void stat_flt(struct proc *p, u64 *mn, u64 *mj) { char path[64], b[1024]; sprintf(path, "/proc/%d/stat", p->pid); *mn = *mj = 0; if (!slurp(path, b, sizeof b)) return; char *q = strrchr(b, ')'); if (!q) return; unsigned long a1, a2, a3, a4; if (sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %lu %lu %lu %lu", &a1, &a2, &a3, &a4) == 4) { *mn = a1; *mj = a3; } }
static void faults(struct proc *p, struct sb *o, int emit) {
  u64 mn, mj; stat_flt(p, &mn, &mj); u64 other = 0, inn = 0, lost = 0; struct { u64 at, n; s64 st; } r[48]; int nr = 0;
  if (p->ring) { struct perf_event_mmap_page *h = p->ring; u64 head = h->data_head; __sync_synchronize(); u64 tail = h->data_tail; char *d = (char *)p->ring + 4096; u64 sz = ringpages * 4096ull;
    while (tail < head) { struct perf_event_header eh; char tmp[64]; for (unsigned i = 0; i < 8; i++) ((char *)&eh)[i] = d[(tail + i) % sz]; for (unsigned i = 0; i < eh.size && i < 64; i++) tmp[i] = d[(tail + i) % sz];
      if (eh.type == PERF_RECORD_SAMPLE) { u64 a; memcpy(&a, tmp + 8, 8); if (!in_slots(a)) other++; else { inn++; if (nr && (r[nr-1].n == 1 || a == r[nr-1].at + r[nr-1].n * r[nr-1].st) && !(r[nr-1].n == 1 && 0)) { if (r[nr-1].n == 1) r[nr-1].st = a - r[nr-1].at; r[nr-1].n++; } else if (nr < 48) { r[nr].at = a; r[nr].n = 1; r[nr].st = 0; nr++; } } }
      else if (eh.type == PERF_RECORD_LOST) lost++; tail += eh.size; }
    h->data_tail = tail; }
  if (emit) { s64 dmn = mn - p->minflt - other, dmj = mj - p->majflt; char b[64]; if (inn || dmn || dmj || lost) { sbf(o, ",\"flt\":{\"pf\":%llu,\"min\":%lld,\"maj\":%lld", (unsigned long long)inn, (long long)dmn, (long long)dmj); if (lost) sbf(o, ",\"lost\":%llu", (unsigned long long)lost); if (nr) { sbf(o, ",\"at\":["); for (int i = 0; i < nr; i++) { if (r[i].n == 1) sbf(o, "%s\"%s\"", i ? "," : "", sym(r[i].at, b)); else sbf(o, "%s[\"%s\",%llu,%lld]", i ? "," : "", sym(r[i].at, b), (unsigned long long)r[i].n, (long long)r[i].st); } sbf(o, "]"); } sbf(o, "}"); } }
  p->minflt = mn; p->majflt = mj; }
/* move_pages() with 0 pages drains all per-CPU LRU batches (lru_cache_disable) */
static void drain(void) { if (getenv("NODRAIN")) return; int st = 0, nd = 0; void *pg = &nd; syscall(SYS_move_pages, 0, 1UL, &pg, &nd, &st, 2); }
/* kpage caches */
static int kpf_fd = -1, kpc_fd = -1;
#define NW 256
static struct { u64 base; u64 v[512]; } kfw[NW], kcw[NW];
static void kreset(void) { for (int i = 0; i < NW; i++) kfw[i].base = kcw[i].base = ~0ull; }
static u64 kpf(u64 pfn) { u64 b = pfn & ~511ull; int w = (pfn >> 9) % NW; if (b != kfw[w].base) { memset(kfw[w].v, 0, 4096); (void)!pread(kpf_fd, kfw[w].v, 4096, b * 8); kfw[w].base = b; } return kfw[w].v[pfn - b]; }
static u64 kpc(u64 pfn) { u64 b = pfn & ~511ull; int w = (pfn >> 9) % NW; if (b != kcw[w].base) { memset(kcw[w].v, 0, 4096); (void)!pread(kpc_fd, kcw[w].v, 4096, b * 8); kcw[w].base = b; } return kcw[w].v[pfn - b]; }
static u64 lf_head = ~0ull, lf_end;
static u64 fids[4096]; static int nfid; static int fid(u64 head) { for (int i = 0; i < nfid; i++) if (fids[i] == head) return i; if (nfid < 4096) { fids[nfid] = head; return nfid++; } return -1; }
#define KB(n) (1ull << (n))
struct pg { char f[10], k[14]; int o, id, idx; s64 mc; };
static int pgsame(struct pg *a, struct pg *b) { return !strcmp(a->f, b->f) && !strcmp(a->k, b->k) && a->o == b->o && a->mc == b->mc; }
static void pagemap_runs(int pmfd, u64 s, u64 e, u64 kps, struct sb *o) {
  static u64 pm[4096]; static struct page_region reg[4096]; int nreg = 0; 
  if (have_scan) { struct pm_scan_arg q = { sizeof q, 0, s, e, 0, (u64)reg, 4096, 0, 0, 0, PAGE_IS_HUGE, PAGE_IS_HUGE }; nreg = ioctl(pmfd, PAGEMAP_SCAN, &q); if (nreg < 0) { nreg = 0; have_scan = 0; } }
  u64 step = kps / 4; if (!step) step = 1;  /* pages per kernel page (hugetlb) */
  struct pg cur, prev; u64 rs = 0, rn = 0; int have = 0, first = 1, ri = 0; int pidx0 = 0, pid0 = -1; u64 nfol = 0;
  sbf(o, ",\"pm\":[");
#define FLUSH() do { if (have && (prev.f[0])) { sbf(o, "%s{\"at\":\"0x%llx\",\"n\":%llu,\"f\":\"%s\"", first ? "" : ",", (unsigned long long)(rs - s), (unsigned long long)rn, prev.f); if (prev.k[0]) sbf(o, ",\"k\":\"%s\"", prev.k); if (prev.o > 0) { sbf(o, ",\"o\":%d", prev.o); if (nfol > 1) sbf(o, ",\"nf\":%llu", (unsigned long long)nfol); else { sbf(o, ",\"id\":%d", pid0); if (pidx0) sbf(o, ",\"i\":%d", pidx0); } } if (prev.mc > 1) sbf(o, ",\"mc\":%lld", (long long)prev.mc); sbf(o, "}"); first = 0; } } while (0)
  for (u64 a = s; a < e;) { u64 n = (e - a) / 4096; if (step > 4096) n = 1; else if (n > 4096) n = 4096; memset(pm, 0, n * 8); if (pread(pmfd, pm, n * 8, a / 4096 * 8) < 0) break;
    for (u64 i = 0; i < n; i += step) { u64 v = pm[i], ad = a + i * 4096; memset(&cur, 0, sizeof cur); cur.id = -1; char *f = cur.f; while (ri < nreg && reg[ri].end <= ad) ri++; int huge = ri < nreg && reg[ri].start <= ad;
      if (v & KB(63)) *f++ = 'P'; if (v & KB(62)) *f++ = 'S'; if (huge) *f++ = 'H'; if ((v & KB(61)) && (v & (KB(63) | KB(62)))) *f++ = 'F'; if ((v & KB(56)) && (v & KB(63))) *f++ = 'X'; if (v & KB(57)) *f++ = 'W'; if (v & KB(58)) *f++ = 'G'; *f = 0;
      if ((v & KB(63)) && kpf_fd >= 0) { u64 pfn = v & ((1ull << 55) - 1); if (pfn) { u64 k = kpf(pfn); char *q = cur.k; if (k & KB(12)) *q++ = 'a'; if (k & KB(22)) *q++ = 't'; if (k & KB(17)) *q++ = 'h'; if (k & KB(24)) *q++ = 'z'; if (k & KB(21)) *q++ = 'k'; if (k & KB(14)) *q++ = 'b'; if (k & KB(19)) *q++ = 'p'; if (k & KB(33)) *q++ = 'm'; *q = 0;
          if (k & KB(24)) cur.mc = 0; else cur.mc = kpc(pfn);
          if (k & KB(17)) { cur.o = __builtin_ctzll(kps / 4); cur.id = fid(pfn & ~(step - 1)); cur.idx = pfn & (step - 1); }
          else if (k & (KB(15) | KB(16))) { u64 h, t; if (lf_head != ~0ull && pfn >= lf_head && pfn < lf_end) { h = lf_head; t = lf_end; } else { h = pfn; while ((kpf(h) & KB(16)) && pfn - h < 1024) h--; t = h + 1; while ((kpf(t) & KB(16)) && t - h < 1024) t++; lf_head = h; lf_end = t; } cur.o = 63 - __builtin_clzll(t - h); cur.id = fid(h); cur.idx = pfn - h; } } }
      /* merge */
      int merge = 0; if (have && pgsame(&prev, &cur)) { if (cur.o == 0) merge = 1; else if (cur.k[0] && strchr(cur.k, 'h')) { merge = (step > 1) ? 1 : 0; if (merge) nfol++; } else if (cur.id == prev.id && cur.idx == prev.idx + 1) merge = 1; else if (cur.idx == 0 && prev.idx == (1 << prev.o) - 1 && pidx0 == 0) { merge = 1; nfol++; } }
      if (merge) { rn += step; prev = cur; } else { FLUSH(); rs = ad; rn = step; prev = cur; have = 1; pidx0 = cur.idx; pid0 = cur.id; nfol = 1; } }
    a += (step > 4096 ? step : n) * 4096; }
  FLUSH(); sbf(o, "]"); }
static const char *skeep[] = {"KernelPageSize","MMUPageSize","Rss","Pss","Pss_Dirty","Shared_Clean","Shared_Dirty","Private_Clean","Private_Dirty","Referenced","Anonymous","KSM","LazyFree","AnonHugePages","ShmemPmdMapped","FilePmdMapped","Shared_Hugetlb","Private_Hugetlb","Swap","SwapPss","Locked","THPeligible",0};
static void proc_state(struct proc *p, struct sb *o) {
  char path[64]; sprintf(path, "/proc/%d/smaps", p->pid); static char *buf; static size_t cap = 4 << 20; if (!buf) buf = malloc(cap); slurp(path, buf, cap); sprintf(path, "/proc/%d/pagemap", p->pid); int pmfd = open(path, O_RDONLY);
  char st[4096]; sprintf(path, "/proc/%d/status", p->pid); slurp(path, st, sizeof st);
#define SV(k) ({ char *_q = strstr(st, "\n" k ":"); _q ? strtoull(_q + strlen(k) + 2, 0, 10) : 0; })
  u64 pte = SV("VmPTE"), size = SV("VmSize"); if (!base_size) { base_pte = pte; base_size = size; }
  sbf(o, "\"%s\":{\"VmPTE\":%lld,\"VmSize\":%lld", p->n, (long long)(pte - base_pte), (long long)(size - base_size)); u64 l = SV("VmLck"); if (l) sbf(o, ",\"VmLck\":%llu", (unsigned long long)l); l = SV("HugetlbPages"); if (l) sbf(o, ",\"HugetlbPages\":%llu", (unsigned long long)l); l = SV("VmSwap"); if (l) sbf(o, ",\"VmSwap\":%llu", (unsigned long long)l);
  sbf(o, ",\"vmas\":["); char *sv; int invma = 0, firstv = 1; u64 s = 0, e = 0, kps = 4; char b1[64];
  for (char *ln = strtok_r(buf, "\n", &sv); ln; ln = strtok_r(NULL, "\n", &sv)) { unsigned long vs, ve; char perms[8]; unsigned long off; int n = 0;
    if (((ln[0] >= '0' && ln[0] <= '9') || (ln[0] >= 'a' && ln[0] <= 'f')) && sscanf(ln, "%lx-%lx %7s %lx %n", &vs, &ve, perms, &off, &n) >= 4 && strchr(ln, '-')) { if (invma) { pagemap_runs(pmfd, s, e, kps, o); sbf(o, "}"); } invma = in_slots(vs); if (!invma) continue; s = vs; e = ve; kps = 4; sbf(o, "%s{\"at\":\"%s\",\"len\":\"0x%lx\",\"perm\":\"%s\"", firstv ? "" : ",", sym(vs, b1), ve - vs, perms); firstv = 0; if (off) sbf(o, ",\"off\":\"0x%lx\"", off); continue; }
    if (!invma) continue; char *c = strchr(ln, ':'); if (!c) continue; *c = 0; char *val = c + 1; while (*val == ' ') val++;
    if (!strcmp(ln, "VmFlags")) { char *en = val + strlen(val); while (en > val && en[-1] == ' ') *--en = 0; sbf(o, ",\"VmFlags\":\"%s\"", val); continue; }
    for (int i = 0; skeep[i]; i++) if (!strcmp(ln, skeep[i])) { u64 v = strtoull(val, 0, 10); if (!strcmp(ln, "KernelPageSize")) { kps = v; if (v == 4) break; } if (!strcmp(ln, "MMUPageSize") && v == 4) break; if (v || !strcmp(ln, "THPeligible")) sbf(o, ",\"%s\":%llu", ln, (unsigned long long)v); break; } }
  if (invma) { pagemap_runs(pmfd, s, e, kps, o); sbf(o, "}"); }
  sbf(o, "]}"); close(pmfd); }

static struct proc *findp(const char *n) { for (int i = 0; i < NPROC; i++) if (pr[i].live && !strcmp(pr[i].n, n)) return &pr[i]; return NULL; }
static void uffd_event(struct proc *p, struct sb *ev, int *pf) { struct u_msg m; char b[64], b2[64]; ssize_t n = read(p->uffd, &m, sizeof m); if (n != sizeof m) return; *pf = 0; if (ev->n) sbf(ev, ",");
  switch (m.event) { case 0x12: *pf = 1; sbf(ev, "{\"ev\":\"pagefault\",\"addr\":\"%s\",\"flags\":\"%s%s%s\"}", sym(m.a.pf.address, b), m.a.pf.flags & 1 ? "write" : "read", m.a.pf.flags & 2 ? "|wp" : "", m.a.pf.flags & 4 ? "|minor" : ""); break; case 0x13: sbf(ev, "{\"ev\":\"fork\"}"); close(m.a.fork.ufd); break; case 0x14: sbf(ev, "{\"ev\":\"remap\",\"from\":\"%s\",\"to\":\"%s\",\"len\":\"0x%llx\"}", sym(m.a.remap.from, b), sym(m.a.remap.to, b2), (unsigned long long)m.a.remap.len); break; case 0x15: case 0x16: sbf(ev, "{\"ev\":\"%s\",\"start\":\"%s\",\"end\":\"%s\"}", m.event == 0x15 ? "remove" : "unmap", sym(m.a.rm.start, b), sym(m.a.rm.end, b2)); break; default: sbf(ev, "{\"ev\":%d}", m.event); } }
/* wait for executor response, handling uffd messages. Returns 1 done, 0 blocked, -1 timeout */
static int wait_resp(struct proc *p, struct sb *o, int ms) { static char evb[8192]; struct sb ev = { evb, 0, sizeof evb }; evb[0] = 0; int idx = p - pr, res = -1; static char rb[OUTSZ];
  for (;;) { struct pollfd pf[1 + NPROC]; int np = 0; pf[np++] = (struct pollfd){ sockp[idx][0], POLLIN, 0 }; int map[NPROC + 1]; for (int i = 0; i < NPROC; i++) if (pr[i].uffd > 0) { map[np] = i; pf[np++] = (struct pollfd){ pr[i].uffd, POLLIN, 0 }; }
    int r = poll(pf, np, ms); if (r == 0) { if (kill(p->pid, 0) < 0) { sbf(o, "\"died\":true"); p->live = 0; res = 1; } break; }
    if (pf[0].revents & POLLIN) { ssize_t n = read(sockp[idx][0], rb, sizeof rb - 1); if (n <= 0) break; rb[n] = 0; sbf(o, "%s", rb); res = 1; break; }
    int isf = 0; for (int k = 1; k < np; k++) if (pf[k].revents & POLLIN) uffd_event(&pr[map[k]], &ev, &isf); else if (pf[k].revents & (POLLHUP | POLLERR)) { close(pr[map[k]].uffd); pr[map[k]].uffd = 0; }
    if (isf) { res = 0; break; } }
  p->blocked = res != 1; if (res == 0) sbf(o, "\"blocked\":true"); if (res == -1) sbf(o, "\"timeout\":true"); if (ev.n) sbf(o, ",\"uffd\":[%s]", evb); return res; }

static void khp_quiesce(void); static int khp_pid(void);
static void khp_scan(int n, struct sb *o) { /* exactly n full khugepaged passes: each write to scan_sleep_millisecs expires the sleep and wakes it once */
  const char *fs = "/sys/kernel/mm/transparent_hugepage/khugepaged/full_scans", *ss = "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs"; u64 s00 = sysnum(fs); if (!khp_pid()) { sbf(o, "\"ret\":0,\"passes\":0,\"stopped\":true"); return; } /* enabled=never: there is no thread to wait for */ for (int i = 0; i < n; i++) { u64 s0 = sysnum(fs); /* with much memory of other processes on the list one wake is not a whole pass: wake it again (a write while it scans does nothing) */ for (int k = 0; k < 1000 && sysnum(fs) < s0 + 1; k++) { if (k % 250 == 0) wr(ss, "3600000"); usleep(2000); } khp_quiesce(); } sbf(o, "\"ret\":0,\"passes\":%llu", (unsigned long long)(sysnum(fs) - s00)); }
static void ksm_scan(int n, struct sb *o) { u64 s0 = sysnum("/sys/kernel/mm/ksm/full_scans"); setsys("/sys/kernel/mm/ksm/pages_to_scan", "100000"); setsys("/sys/kernel/mm/ksm/sleep_millisecs", "5"); wr("/sys/kernel/mm/ksm/run", "1"); int k; for (k = 0; k < 3000 && sysnum("/sys/kernel/mm/ksm/full_scans") < s0 + n + 1; k++) usleep(2000); wr("/sys/kernel/mm/ksm/run", "0"); usleep(20000); sbf(o, "\"ret\":0,\"pages_shared\":%llu,\"pages_sharing\":%llu,\"pages_unshared\":%llu,\"pages_volatile\":%llu,\"zero_pages\":%llu", (unsigned long long)sysnum("/sys/kernel/mm/ksm/pages_shared"), (unsigned long long)sysnum("/sys/kernel/mm/ksm/pages_sharing"), (unsigned long long)sysnum("/sys/kernel/mm/ksm/pages_unshared"), (unsigned long long)sysnum("/sys/kernel/mm/ksm/pages_volatile"), (unsigned long long)sysnum("/sys/kernel/mm/ksm/ksm_zero_pages")); }
/* the anchor process (a registered mm) keeps khugepaged's mm list non-empty, so that
   registering a new mm does not wake it; wait until it sleeps in its (long) timeout */
static int khp_pid(void) { static int pid; char p[64], b[64]; if (pid) { sprintf(p, "/proc/%d/comm", pid); if (slurp(p, b, 64) && !strncmp(b, "khugepaged", 10)) return pid; pid = 0; } DIR *d = opendir("/proc"); struct dirent *de; while ((de = readdir(d))) { int q = atoi(de->d_name); if (q <= 1) continue; sprintf(p, "/proc/%d/comm", q); if (slurp(p, b, 64) && !strncmp(b, "khugepaged", 10)) { pid = q; break; } } closedir(d); return pid; }
static void khp_quiesce(void) { u64 last = ~0ull; int stable = 0, nopid = 0; for (int k = 0; k < 800 && stable < 6; k++) { usleep(5000); int pid = khp_pid(); if (!pid) { if (++nopid > 12) return; continue; } char p[64], b[4096]; sprintf(p, "/proc/%d/status", pid); if (!slurp(p, b, sizeof b)) continue; char *s = strstr(b, "State:"), *v = strstr(b, "voluntary_ctxt"); u64 c = v ? strtoull(v + 24, 0, 10) : 0; char *nv = v ? strstr(v, "nonvol") : NULL; if (nv) c += strtoull(nv + 27, 0, 10) * 1000003; if (s && s[7] == 'S' && c == last) stable++; else stable = 0; last = c; } }
static const char *workdir = "/mnt/ext4";
static int drv_op(int ac, char **av, const char *rest, struct sb *o) {
  const char *op = av[0]; char *x;
  if (!strcmp(op, "sys")) { /* sys set PATH VAL | sys get PATH | sys thp X V | sys mthp SIZE KEY V | sys khp K V | sys nr_hugepages SIZE N | sys nr_overcommit SIZE N | sys vm K V | sys ksm K V */
    char p[300], v[128]; if (ac >= 4 && !strcmp(av[1], "set")) { alias(av[2], p); strcpy(v, av[3]); } else if (ac >= 3 && !strcmp(av[1], "get")) { alias(av[2], p); char b[512]; if (!slurp(p, b, sizeof b)) { sbret(o, -1, errno); return 1; } selbr(b); sbf(o, "\"ret\":0,\"val\":\"%s\"", b); return 1; }
    else if (ac >= 4 && !strcmp(av[1], "thp")) { sprintf(p, "/sys/kernel/mm/transparent_hugepage/%s", av[2]); strcpy(v, av[3]); } else if (ac >= 5 && !strcmp(av[1], "mthp")) { sprintf(p, "/sys/kernel/mm/transparent_hugepage/hugepages-%s/%s", av[2], av[3]); strcpy(v, av[4]); } else if (ac >= 4 && !strcmp(av[1], "khp")) { sprintf(p, "/sys/kernel/mm/transparent_hugepage/khugepaged/%s", av[2]); strcpy(v, av[3]); }
    else if (ac >= 4 && !strcmp(av[1], "nr_hugepages")) { sprintf(p, "/sys/kernel/mm/hugepages/hugepages-%s/nr_hugepages", av[2]); strcpy(v, av[3]); } else if (ac >= 4 && !strcmp(av[1], "nr_overcommit")) { sprintf(p, "/sys/kernel/mm/hugepages/hugepages-%s/nr_overcommit_hugepages", av[2]); strcpy(v, av[3]); } else if (ac >= 4 && !strcmp(av[1], "vm")) { sprintf(p, "/proc/sys/vm/%s", av[2]); strcpy(v, av[3]); } else if (ac >= 4 && !strcmp(av[1], "ksm")) { sprintf(p, "/sys/kernel/mm/ksm/%s", av[2]); strcpy(v, av[3]); } else { sbf(o, "\"error\":\"sys\""); return 1; }
    int r = setsys(p, v); if (!strncmp(p, "/sys/kernel/mm/transparent_hugepage/", 36)) khp_quiesce(); if (r) sbret(o, -1, -r); else sbret(o, 0, 0); return 1; }
  if (!strcmp(op, "mount")) { /* mount NAME tmpfs|hugetlbfs opts | mount NAME dev FS DEV opts */ char d[160], dd[200]; snprintf(d, 160, "%s/%s", workdir, av[1]); mkdir(workdir, 0755); mkdir(d, 0755); int r; const char *opts = "", *fs = av[2], *src = "none"; int i = 3; if (strcmp(fs, "tmpfs") && strcmp(fs, "hugetlbfs")) { src = av[3]; i = 4; } (void)dd; if (ac > i) opts = av[i]; r = mount(src, d, fs, 0, opts); int e = errno; if (!r && nmnt < 16) { strcpy(mntdirs[nmnt++], d); fset(av[1], d); } sbret(o, r, e); return 1; }
  if (!strcmp(op, "umount")) { int r = umount2(fpath(av[1]), 0); sbret(o, r, errno); if (!r) for (int i = 0; i < nmnt; i++) if (!strcmp(mntdirs[i], fpath(av[1]))) { rmdir(mntdirs[i]); for (int j = i; j + 1 < nmnt; j++) strcpy(mntdirs[j], mntdirs[j + 1]); nmnt--; break; } return 1; }
  if (!strcmp(op, "file")) { /* file F DIR|path SIZE : create sparse file */ char p[160]; const char *d = fpath(av[2]); struct stat sb; if (!stat(d, &sb) && S_ISDIR(sb.st_mode)) snprintf(p, 160, "%s/%s", d, av[1]); else strncpy(p, d, 159); int fd = open(p, O_RDWR | O_CREAT, 0644); if (fd < 0) { sbret(o, -1, errno); return 1; } int r = ac > 3 ? ftruncate(fd, parse_num(av[3], &x)) : 0; sbret(o, r, errno); close(fd); fset(av[1], p); return 1; }
  if (!strcmp(op, "unlink")) { int r = unlink(fpath(av[1])); sbret(o, r, errno); return 1; }
  if (!strcmp(op, "memfd")) { /* memfd F SIZE [hugetlb2M|hugetlb1G] */ int fl = 0; if (ac > 3 && !strcmp(av[3], "hugetlb2M")) fl = 4 | (21 << 26); if (ac > 3 && !strcmp(av[3], "hugetlb1G")) fl = 4 | (30 << 26); int fd = syscall(SYS_memfd_create, av[1], fl); if (fd < 0) { sbret(o, -1, errno); return 1; } int r = ftruncate(fd, parse_num(av[2], &x)); sbret(o, r, errno); char p[64]; sprintf(p, "/proc/%d/fd/%d", getpid(), fd); fset(av[1], p); drv_memfd[ndrv++] = fd; return 1; }
  if (!strcmp(op, "memfd_close")) { int fd = atoi(strrchr(fpath(av[1]), '/') + 1); int r = close(fd); sbret(o, r, errno); for (int i = 0; i < ndrv; i++) if (drv_memfd[i] == fd) { drv_memfd[i] = drv_memfd[--ndrv]; break; } return 1; }
  if (!strcmp(op, "uprobe")) { /* ours: uprobe set F OFF | uprobe clear F OFF : a breakpoint in every process that maps the file, by a perf event for each place */
    static struct { char f[32]; u64 off; int fd; } up[16]; static int nup; if (ac < 4) { sbf(o, "\"error\":\"uprobe\""); return 1; }
    u64 off = parse_num(av[3], &x); int at = -1; for (int i = 0; i < nup; i++) if (!strcmp(up[i].f, av[2]) && up[i].off == off) at = i;
    if (!strcmp(av[1], "clear")) { if (at < 0) { sbret(o, -1, ENOENT); return 1; } close(up[at].fd); up[at] = up[--nup]; sbret(o, 0, 0); return 1; }
    if (at >= 0 || nup == 16) { sbret(o, -1, EEXIST); return 1; }
    char t[32]; if (!slurp("/sys/bus/event_source/devices/uprobe/type", t, sizeof t)) { sbret(o, -1, ENODEV); return 1; }
    struct perf_event_attr pa; memset(&pa, 0, sizeof pa); pa.size = sizeof pa; pa.type = atoi(t); pa.config1 = (u64)fpath(av[2]); pa.config2 = off;
    int fd = syscall(SYS_perf_event_open, &pa, -1, 0, -1, 8); if (fd < 0) { sbret(o, -1, errno); return 1; }
    snprintf(up[nup].f, 32, "%s", av[2]); up[nup].off = off; up[nup++].fd = fd; sbret(o, 0, 0); return 1; }
  if (!strcmp(op, "khugepaged")) { khp_scan(ac > 2 ? atoi(av[2]) : 1, o); return 1; }
  if (!strcmp(op, "ksm")) { if (!strcmp(av[1], "unmerge")) { int r = wr("/sys/kernel/mm/ksm/run", "2"); sbret(o, r ? -1 : 0, -r); wr("/sys/kernel/mm/ksm/run", "0"); } else ksm_scan(ac > 2 ? atoi(av[2]) : 2, o); return 1; }
  if (!strcmp(op, "drop_caches")) { sync(); int r = wr("/proc/sys/vm/drop_caches", ac > 1 ? av[1] : "3"); sbret(o, r ? -1 : 0, -r); return 1; }
  if (!strcmp(op, "compact")) { int r = wr("/proc/sys/vm/compact_memory", "1"); sbret(o, r ? -1 : 0, -r); return 1; }
  if (!strcmp(op, "sleep")) { usleep(atoi(av[1]) * 1000); sbf(o, "\"ret\":0"); return 1; }
  if (!strcmp(op, "zram")) { /* zram on SIZE | off */ if (!strcmp(av[1], "on")) { char sz[32]; sprintf(sz, "%llu", (unsigned long long)parse_num(av[2], &x)); wr("/sys/block/zram0/reset", "1"); int r = wr("/sys/block/zram0/disksize", sz); if (r) { sbret(o, -1, -r); return 1; } r = system("mkswap /dev/zram0 >/dev/null 2>&1"); strcpy(zram_dev, "/dev/zram0"); r = swapon(zram_dev, 0); if (!r) zram_on = 1; sbret(o, r, errno); } else { int r = swapoff(zram_dev); sbret(o, r, errno); if (!r) { zram_on = 0; wr("/sys/block/zram0/reset", "1"); } } return 1; }
  if (!strcmp(op, "memcg")) { /* memcg new LIMIT PROC | memcg limit N ; v1 at /sys/fs/cgroup/memory else v2 at /sys/fs/cgroup */
    int v1 = !access("/sys/fs/cgroup/memory/memory.limit_in_bytes", F_OK); const char *cg = v1 ? "/sys/fs/cgroup/memory/oracle" : "/sys/fs/cgroup/oracle"; char p[200], v[32], lim[200]; sprintf(lim, "%s/%s", cg, v1 ? "memory.limit_in_bytes" : "memory.max");
    if (!v1) wr("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
    if (!strcmp(av[1], "new")) { mkdir(cg, 0755); sprintf(v, "%llu", (unsigned long long)parse_num(av[2], &x)); int r = wr(lim, v); struct proc *q = findp(av[3]); if (!r && q) { sprintf(v, "%d", q->pid); sprintf(p, "%s/cgroup.procs", cg); r = wr(p, v); } sbret(o, r ? -1 : 0, -r); } else if (!strcmp(av[1], "limit")) { sprintf(v, "%llu", (unsigned long long)parse_num(av[2], &x)); int r = wr(lim, v); sbret(o, r ? -1 : 0, -r); } sbf(o, ",\"cgroup\":\"v%d\"", v1 ? 1 : 2); return 1; }
  return 0; }

static void full_state(struct sb *o, int *changed) { static char *last; static char *tmp; if (!tmp) { tmp = malloc(8 << 20); last = calloc(1, 8 << 20); } struct sb t = { tmp, 0, 8 << 20 }; kreset(); lf_head = ~0ull; nfid = 0; int first = 1; tmp[0] = 0; for (int i = 0; i < NPROC; i++) if (pr[i].live) { if (!first) sbf(&t, ","); proc_state(&pr[i], &t); first = 0; } if (strcmp(tmp, last)) { strcpy(last, tmp); sbf(o, ",\"procs\":{%s}", tmp); } }

int main(int argc, char **argv) {
  int pers = personality(0xffffffff); if (!(pers & ADDR_NO_RANDOMIZE)) { personality(pers | ADDR_NO_RANDOMIZE); execv("/proc/self/exe", argv); }
  if (argc > 1) workdir = argv[1];
  if (!lock_recorder()) return 75;
  /* before the first setting is touched; SIGPIPE: whoever read the output has died */
  driver = getpid(); atexit(cleanup); signal(SIGINT, onterm); signal(SIGTERM, onterm); signal(SIGHUP, onterm); signal(SIGPIPE, onterm);
  cpu_set_t cs; CPU_ZERO(&cs); CPU_SET(0, &cs); sched_setaffinity(0, sizeof cs, &cs);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); prctl(PR_SET_CHILD_SUBREAPER, 1); signal(SIGCHLD, SIG_IGN);
  sh = mmap(NULL, (sizeof *sh + 4095) & ~4095, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0); for (int i = 0; i < NPROC; i++) { sh->uffd_fd[i] = -1; socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockp[i]); }
  for (int i = 0; i < 2; i++) { char p[128]; sprintf(p, "/sys/kernel/mm/hugepages/hugepages-%s/resv_hugepages", hsize[i]); lost_resv[i] = sysnum(p); }
  /* canonical baseline */
  static const char *bl[][2] = { {"thp/enabled","madvise"},{"thp/defrag","madvise"},{"thp/shmem_enabled","never"},{"thp/use_zero_page","1"},{"thp/shrink_underused","1"},{"khp/scan_sleep_millisecs","3600000"},{"khp/alloc_sleep_millisecs","10"},{"khp/pages_to_scan","100000"},{"khp/max_ptes_none","511"},{"khp/max_ptes_shared","256"},{"khp/max_ptes_swap","64"},{"khp/defrag","1"},{"ksm/run","0"},{"hugetlb/2048kB/nr_hugepages","0"},{"hugetlb/2048kB/nr_overcommit_hugepages","0"},{"hugetlb/1048576kB/nr_hugepages","0"},{"hugetlb/1048576kB/nr_overcommit_hugepages","0"},{"vm/overcommit_memory","0"},{"vm/page-cluster","0"},{"vm/compaction_proactiveness","0"},{0,0} };
  for (int i = 0; bl[i][0]; i++) { char p[256]; alias(bl[i][0], p); if (strstr(p, "1048576kB/nr_hugepages") && sysnum(p)) continue; /* keep boot-time 1G pages */ if (!access(p, W_OK)) setsys(p, bl[i][1]); }
  for (int ord = 1; ord <= 9; ord++) { char p[256]; sprintf(p, "/sys/kernel/mm/transparent_hugepage/hugepages-%dkB/enabled", 4 << ord); if (!access(p, W_OK)) setsys(p, ord == 9 ? "inherit" : "never"); sprintf(p, "/sys/kernel/mm/transparent_hugepage/hugepages-%dkB/shmem_enabled", 4 << ord); if (!access(p, W_OK)) setsys(p, ord == 9 ? "inherit" : "never"); }
  { char p[64]; sprintf(p, "%s", "/proc/sys/vm/min_free_kbytes"); save(p); }
  anchor = fork(); if (anchor == 0) { close(lock_fd); prctl(PR_SET_PDEATHSIG, SIGKILL); prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0); char *q = mmap((void *)0x700000000, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0); madvise(q, 2 << 20, MADV_HUGEPAGE); *(volatile char *)q = 1; for (;;) pause(); }
  usleep(60000); khp_quiesce();
  kpf_fd = open("/proc/kpageflags", O_RDONLY); kpc_fd = open("/proc/kpagecount", O_RDONLY);
  fflush(stdout); pid_t pid = fork(); if (pid == 0) { close(lock_fd); ex_main(0); _exit(0); }
  strcpy(pr[0].n, "P"); pr[0].pid = pid; pr[0].live = 1;
  { struct sb t; char tb[4096]; t = (struct sb){ tb, 0, sizeof tb }; tb[0] = 0; (void)!write(sockp[0][0], "munlockall", 10); wait_resp(&pr[0], &t, 5000); }
  perf_open(&pr[0]);
  struct utsname un; uname(&un); struct sb O = { malloc(16 << 20), 0, 16 << 20 }; 
  sbf(&O, "{\"hdr\":1,\"kernel\":\"%s\",\"slot_base\":\"0x%llx\",\"slot_size\":\"0x%llx\",\"perf\":%s,\"kpageflags\":%s", un.release, SLOT_BASE, SLOT_SIZE, pr[0].ring ? "true" : "false", kpf_fd >= 0 ? "true" : "false"); { char b[256]; slurp("/sys/kernel/mm/transparent_hugepage/enabled", b, 256); selbr(b); sbf(&O, ",\"thp\":\"%s\"", b); } sbf(&O, "}\n"); fwrite(O.p, 1, O.n, stdout); fflush(stdout);
  meminfo(NULL, 1); vmdelta(&O, 0); faults(&pr[0], &O, 0); O.n = 0; { int c; full_state(&O, &c); }
  char line[4096]; int ln = 0, n = 0;
  while (fgets(line, sizeof line, stdin)) { ln++; char *h = strchr(line, '#'); if (h) *h = 0; char *s = line; while (*s == ' ' || *s == '\t') s++; char *e = s + strlen(s); while (e > s && (e[-1] == '\n' || e[-1] == ' ' || e[-1] == '\t' || e[-1] == '\r')) *--e = 0; if (!*s) continue; if (!strcmp(s, "quit")) break;
    struct proc *p = &pr[0]; char full[4096]; strcpy(full, s); if (*s == '@') { char nm[16]; int k = 0; s++; while (*s && *s != ' ' && k < 15) nm[k++] = *s++; nm[k] = 0; while (*s == ' ') s++; p = findp(nm); }
    O.n = 0; O.p[0] = 0; { char q[4096], *d = q; for (char *c = full; *c; c++) { if (*c == '"' || *c == '\\') *d++ = '\\'; *d++ = *c; } *d = 0; sbf(&O, "{\"n\":%d,\"op\":\"%s\",", n++, q); }
    char cp[4096]; strcpy(cp, s); char *av[24]; int ac = 0; char *sv; for (char *t = strtok_r(cp, " \t", &sv); t && ac < 24; t = strtok_r(NULL, " \t", &sv)) av[ac++] = t;
    if (!p || !p->live) { sbf(&O, "\"error\":\"no such proc\""); }
    else if (ac && drv_op(ac, av, s, &O)) { }
    else if (!strcmp(av[0], "resume")) { if (!p->blocked) sbf(&O, "\"error\":\"not blocked\""); else wait_resp(p, &O, 700); }
    else if (!strcmp(av[0], "uffd") && ac > 1 && !strcmp(av[1], "poll")) { int any = 0; struct pollfd pf = { p->uffd, POLLIN, 0 }; static char evb[4096]; struct sb ev = { evb, 0, sizeof evb }; evb[0] = 0; while (poll(&pf, 1, 100) > 0 && (pf.revents & POLLIN)) { int isf; uffd_event(p, &ev, &isf); any++; } sbf(&O, "\"ret\":%d,\"uffd\":[%s]", any, evb); }
    else if (p->blocked) { if (!strcmp(av[0], "uffd") && p->uffd > 0) { static char *db; if (!db) { db = mmap(0, 4 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); memset(db, 0x5a, 4 << 20); } uffd_op(p->uffd, ac, av, &O, db); sbf(&O, ",\"by\":\"driver\""); } else if (!strcmp(av[0], "kill")) { kill(p->pid, SIGKILL); p->live = 0; p->blocked = 0; char pp[64]; sprintf(pp, "/proc/%d", p->pid); for (int k = 0; k < 2000 && !access(pp, F_OK); k++) usleep(1000); sbf(&O, "\"ret\":0"); } else sbf(&O, "\"error\":\"proc blocked\""); }
    else if (!strcmp(av[0], "fork")) { int idx = -1; for (int i = 1; i < NPROC; i++) if (!pr[i].live) { idx = i; break; } char cmd[64]; sprintf(cmd, "fork %s %d", av[1], idx); sh->uffd_fd[idx] = -1; (void)!write(sockp[p - pr][0], cmd, strlen(cmd)); static char rb[8192]; struct sb ro = { rb, 0, sizeof rb }; rb[0] = 0; wait_resp(p, &ro, 8000); char *q = strstr(rb, "\"ret\":"); long r = q ? atol(q + 6) : -1; if (r > 0) { memset(&pr[idx], 0, sizeof pr[idx]); strcpy(pr[idx].n, av[1]); pr[idx].pid = r; pr[idx].live = 1; perf_open(&pr[idx]); faults(&pr[idx], &O, 0); sbf(&O, "\"ret\":\"%s\"", av[1]); char *u = strstr(rb, ",\"uffd\""); if (u) sbf(&O, "%s", u); } else sbf(&O, "%s", rb); }
    else { (void)!write(sockp[p - pr][0], s, strlen(s)); int tmo = 20000; int r = wait_resp(p, &O, tmo); (void)r;
      if (!strcmp(av[0], "exit")) { char pp[64]; sprintf(pp, "/proc/%d", p->pid); for (int k = 0; k < 3000 && !access(pp, F_OK); k++) { waitpid(-1, 0, WNOHANG); usleep(1000); } p->live = 0; if (p->ring) munmap(p->ring, (1 + ringpages) * 4096); if (p->perf > 0) close(p->perf); if (p->uffd > 0) close(p->uffd); p->uffd = 0; }
      if (!strcmp(av[0], "uffd") && !strcmp(av[1], "open") && sh->uffd_fd[p - pr] >= 0) { if (p->uffd > 0) close(p->uffd); int pf = syscall(434, p->pid, 0); p->uffd = syscall(438, pf, sh->uffd_fd[p - pr], 0); close(pf); }
      if (!strcmp(av[0], "uffd") && !strcmp(av[1], "close") && p->uffd > 0) { close(p->uffd); p->uffd = 0; } }
    for (int i = 0; i < NPROC; i++) if (pr[i].live && !(pr[i].blocked && strcmp(av[0], "resume") && (&pr[i] != p || !strcmp(av[0], "uffd")))) { static char fb[8192]; struct sb f = { fb, 0, sizeof fb }; fb[0] = 0; faults(&pr[i], &f, 1); if (f.n) { if (i == 0) sbf(&O, "%s", fb); else { char *c = strstr(fb, "\"flt\""); sbf(&O, ",\"flt@%s\"%s", pr[i].n, c + 5); } } }
    drain(); meminfo(&O, 0); vmdelta(&O, 1); pools(&O); int ch; full_state(&O, &ch); sbf(&O, "}\n"); fwrite(O.p, 1, O.n, stdout); fflush(stdout); }
  return 0; }
