//go:build unix && !linux

package supervisord

// rlimitNproc is RLIMIT_NPROC where it is known: a negative one is not looked
// at.
const rlimitNproc = -1
