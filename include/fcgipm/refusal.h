/* Why the exec broker does not run something: one row each.  Numbers and names never change their meaning; docs/exec.md says what each holds against.
 *
 * X(NAME, number, name, text)
 */
#ifndef FCGIPM_REFUSAL_H
#define FCGIPM_REFUSAL_H

#define FCGIPM_REFUSALS(X)                                                                                                                                     \
	X(PROFILE, 1, "unknown-profile", "there is no such profile")                                                                                           \
	X(CLIENT, 2, "client-not-permitted", "this account is not among the profile's clients")                                                                \
	X(WORKER, 3, "client-is-a-worker", "the client descends from a worker of fcgipm (worker_clients)")                                                     \
	X(CLIENT_GONE, 4, "client-gone", "the process that made the connection has ended")                                                                     \
	X(BUSY, 5, "busy", "as many run and wait as may (max_running, queue.limit)")                                                                           \
	X(ENDING, 6, "ending", "fcgipm ends")                                                                                                                  \
	X(MALFORMED, 7, "malformed", "the request is not of the protocol")                                                                                     \
	X(TOO_LARGE, 8, "too-large", "arguments and environment take more than 256 KB")                                                                        \
	X(ARGUMENTS, 9, "arguments", "the profile does not permit these arguments (arguments.max, arguments.allow)")                                           \
	X(PATH, 10, "path-form", "the program is no absolute path without \"//\", \".\" and \"..\"")                                                           \
	X(OUTSIDE, 11, "outside-roots", "the program is below none of the profile's roots")                                                                    \
	X(MISSING, 12, "not-found", "there is no such program")                                                                                                \
	X(LINK, 13, "link", "there is a symbolic link on the way (above a root only root's own are followed, below it none)")                                  \
	X(UNREACHABLE, 14, "unreachable", "a directory on the way does not let others pass")                                                                   \
	X(NOT_A_FILE, 15, "not-a-file", "the program is no regular file")                                                                                      \
	X(SETID, 16, "setuid", "the program has the setuid or setgid bit")                                                                                     \
	X(WRITABLE, 17, "writable", "the program can be written by its group or by others")                                                                    \
	X(OWNER, 18, "owner", "the program belongs to another account than the profile wants (file_owner)")                                                    \
	X(GROUP, 19, "group", "the program belongs to another group than the profile wants, or than its owner's directory")                                    \
	X(DIRECTORY_WRITABLE, 20, "directory-writable", "the program's directory can be written by its group or by others")                                    \
	X(DIRECTORY_OWNER, 21, "directory-owner", "the program's directory belongs to neither the account that it runs as nor root")                           \
	X(ROOT, 22, "root", "it would run as root or in root's group")                                                                                         \
	X(OWN_ACCOUNT, 23, "own-account", "it would run as an account of fcgipm's own")                                                                        \
	X(MIN_UID, 24, "min-uid", "it would run as an account below min_uid")                                                                                  \
	X(MIN_GID, 25, "min-gid", "it would run in a group below min_gid")                                                                                     \
	X(STEP, 26, "step", "a step on the way to exec failed")                                                                                                \
	X(OVERDUE, 27, "overdue", "it did not come to exec in time")                                                                                           \
	X(RESOURCES, 28, "resources", "no memory, descriptor or process is left")                                                                              \
	X(FILE_SYSTEM, 29, "file-system", "whose the program is, is the word of a file system in user space (FUSE)")                                           \
	X(DIRECTORY_FORM, 30, "directory-form", "the working directory is no absolute path without \"//\", \".\" and \"..\"")                                  \
	X(CHROOT, 31, "chroot", "the profile's chroot cannot be opened")

#define FCGIPM_REFUSAL_ENUM(NAME, number, ...) FCGIPM_REFUSED_##NAME = (number),
enum fcgipm_refusal { FCGIPM_REFUSED_NOT = 0, FCGIPM_REFUSALS(FCGIPM_REFUSAL_ENUM) };

#endif
