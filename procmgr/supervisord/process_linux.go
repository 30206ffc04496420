package supervisord

// rlimitNproc is RLIMIT_NPROC, which package syscall leaves out.
const rlimitNproc = 6
