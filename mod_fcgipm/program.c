/* Programs under way (runs in httpd's children). */
#include "mod_fcgipm/program.h"

#include <ap_mpm.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <http_config.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mod_fcgipm/brokers.h"

/* ---- descriptors ---- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void program_close(struct program *p, int which)
{
	close_fd(&p->stdio[which]);
}

/* A program of another account may open /dev/stdout and /dev/stderr, as shell scripts like to do: the mode lets it.  Nobody else gets at a pipe. */
static int make_pipe(int which, int *ret_ours, int *ret_theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	(void)fchmod(ends[0], 0666);
	*ret_ours = ends[which == 0];
	*ret_theirs = ends[which != 0];
	return 0;
}

/* *ret_theirs is to be closed unless it is what was wished, or everybody's /dev/null. */
static int make_one(struct program *p, int which, int wish, int *ret_theirs)
{
	if (wish == PROGRAM_PIPE)
		return make_pipe(which, &p->stdio[which], ret_theirs);
	*ret_theirs = wish == PROGRAM_NULL ? brokers_null(p->brokers) : wish;
	return *ret_theirs < 0 ? -EMFILE : 0;
}

static int make_all(struct program *p, const int wishes[3], int theirs[3])
{
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		r = make_one(p, i, wishes[i], &theirs[i]);
	return r;
}

static void close_made(const int wishes[3], int theirs[3])
{
	for (int i = 0; i < 3; i++)
		if (wishes[i] == PROGRAM_PIPE)
			close_fd(&theirs[i]);
}

static void close_all(int fds[3])
{
	for (int i = 0; i < 3; i++)
		close_fd(&fds[i]);
}

static int fail(struct fcgipm_error *err, int error, const char *what)
{
	char text[128];

	err->code = error;
	snprintf(err->text, sizeof(err->text), "%s: %s", what, apr_strerror(error, text, sizeof(text)));
	return -error;
}

/* ---- by the broker ---- */

static bool is_gone(int r)
{
	return r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN || r == -EPROTO || r == -EBUSY;
}

/* Connections that have lain idle may have lost their other side: then the next one, and at last a new one. */
static int ask(struct program *p, const struct fcgipm_program *what, struct fcgipm_error *err)
{
	int r;

	do {
		r = brokers_take(p->brokers, &p->broker, &p->used, err);
		if (r < 0)
			return r;
		r = fcgipm_broker_ask(p->broker, what, err);
		if (r == 0)
			return 0;
		if (is_gone(r))
			fcgipm_broker_close(p->broker);
		else
			brokers_give(p->brokers, p->broker, false);
		p->broker = NULL;
	} while (is_gone(r) && p->used);
	return r;
}

/* ---- by httpd itself, as the platform does (suexec is asked where it is configured) ---- */

/* APR makes copies, and closes those. */
static apr_status_t set_stdio(apr_procattr_t *attr, apr_pool_t *pool, const int theirs[3])
{
	static apr_status_t (*const set[])(apr_procattr_t *, apr_file_t *, apr_file_t *) = {apr_procattr_child_in_set, apr_procattr_child_out_set,
											    apr_procattr_child_err_set};
	apr_status_t rv = APR_SUCCESS;

	for (int i = 0; i < 3 && rv == APR_SUCCESS; i++) {
		apr_os_file_t fd = theirs[i];
		apr_file_t *f = NULL;

		rv = apr_os_file_put(&f, &fd, APR_FOPEN_READ | APR_FOPEN_WRITE, pool);
		if (rv == APR_SUCCESS)
			rv = set[i](attr, f, NULL);
	}
	return rv;
}

static apr_status_t create(struct program *p, const struct fcgipm_program *what, const int theirs[3])
{
	apr_pool_t *pool = p->r->pool;
	const char *dir = what->directory != NULL ? what->directory : ap_make_dirstr_parent(pool, what->argv[0]);
	apr_procattr_t *attr;
	apr_status_t rv = apr_procattr_create(&attr, pool);

	if (rv == APR_SUCCESS)
		rv = set_stdio(attr, pool, theirs);
	if (rv == APR_SUCCESS)
		rv = apr_procattr_dir_set(attr, dir);
	if (rv == APR_SUCCESS)
		rv = apr_procattr_cmdtype_set(attr, APR_PROGRAM);
	if (rv == APR_SUCCESS)
		rv = apr_procattr_error_check_set(attr, 1);
	if (rv == APR_SUCCESS)
		rv = ap_os_create_privileged_process(p->r, p->local, what->argv[0], what->argv, what->envp, attr, pool);
	return rv;
}

static int start_local(struct program *p, const struct fcgipm_program *what, const int theirs[3], struct fcgipm_error *err)
{
	apr_status_t rv;

	p->local = apr_pcalloc(p->r->pool, sizeof(*p->local));
	rv = create(p, what, theirs);
	if (rv != APR_SUCCESS)
		return fail(err, rv > 0 && rv < APR_OS_START_ERROR ? rv : EINVAL, what->argv[0]);
	apr_pool_note_subprocess(p->r->pool, p->local, APR_KILL_AFTER_TIMEOUT);
	p->pid = p->local->pid;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	p->state = PROGRAM_STARTED;
	return 0;
}

static void look_local(struct program *p)
{
	apr_exit_why_e why;
	int code;

	if (apr_proc_wait(p->local, &code, &why, APR_NOWAIT) == APR_CHILD_NOTDONE)
		return;
	p->state = PROGRAM_ENDED;
	p->end = (struct fcgipm_end){.status = APR_PROC_CHECK_EXIT(why) ? code << 8 : code, .why = FCGIPM_ENDED_BY_ITSELF};
}

/* ---- both ---- */

int program_begin(struct program *p, request_rec *r, struct brokers *brokers, const struct fcgipm_program *what, struct fcgipm_error *err)
{
	int theirs[3] = {-1, -1, -1}, status;
	struct fcgipm_program with = *what;

	*p = (struct program){.r = r, .brokers = brokers, .pidfd = -1, .stdio = {-1, -1, -1}, .state = PROGRAM_ASKED};
	status = make_all(p, what->stdio, theirs);
	if (status < 0) {
		fail(err, -status, "descriptors");
	} else {
		memcpy(with.stdio, theirs, sizeof(theirs));
		status = what->profile != NULL ? ask(p, &with, err) : start_local(p, what, theirs, err);
	}
	close_made(what->stdio, theirs);
	if (status < 0)
		close_all(p->stdio);
	return status;
}

int program_fd(const struct program *p)
{
	return p->broker != NULL ? fcgipm_broker_fd(p->broker) : p->pidfd;
}

static void take_started(struct program *p, struct fcgipm_run *run)
{
	p->state = PROGRAM_STARTED;
	p->pid = run->pid;
	close_fd(&run->pidfd);
	close_all(run->stdio);
}

static void take_refused(struct program *p, int news, const struct fcgipm_error *err)
{
	bool refused = news == -EACCES || news == -EAGAIN;

	p->state = refused ? PROGRAM_REFUSED : PROGRAM_LOST;
	p->why = apr_pstrdup(p->r->pool, err->text);
	if (refused)
		p->refusal = fcgipm_refusal(p->broker);
}

static void look_broker(struct program *p)
{
	struct fcgipm_run run = {.pidfd = -1, .stdio = {-1, -1, -1}};
	struct fcgipm_error err = {.code = 0};
	int news;

	while (p->state == PROGRAM_ASKED || p->state == PROGRAM_STARTED) {
		news = fcgipm_broker_next(p->broker, &run, &p->end, &err);
		if (news == FCGIPM_NEWS_NONE)
			return;
		if (news == FCGIPM_NEWS_STARTED)
			take_started(p, &run);
		else if (news == FCGIPM_NEWS_ENDED)
			p->state = PROGRAM_ENDED;
		else
			take_refused(p, news, &err);
	}
}

void program_look(struct program *p)
{
	if (p->broker != NULL)
		look_broker(p);
	else if (p->local != NULL && p->state == PROGRAM_STARTED)
		look_local(p);
}

void program_cancel(struct program *p)
{
	if (p->broker != NULL)
		(void)fcgipm_broker_cancel(p->broker, 0);
	else if (p->local != NULL && p->state == PROGRAM_STARTED)
		apr_proc_kill(p->local, SIGTERM);
}

void program_end(struct program *p, bool leave)
{
	bool idle = p->state == PROGRAM_ENDED; /* after a refusal the broker may be about to close */

	close_all(p->stdio);
	close_fd(&p->pidfd);
	if (p->broker != NULL && (idle || (leave && p->state != PROGRAM_LOST)))
		brokers_give(p->brokers, p->broker, !idle);
	else if (p->broker != NULL)
		fcgipm_broker_close(p->broker);
	p->broker = NULL;
}

const char *program_how(const struct program *p)
{
	static const char *const whys[] = {
		[FCGIPM_ENDED_BY_ITSELF] = "", [FCGIPM_ENDED_BY_TIMEOUT] = ", at the profile's timeout", [FCGIPM_ENDED_BY_CANCEL] = ", cancelled"};
	const char *why = (unsigned)p->end.why < sizeof(whys) / sizeof(whys[0]) ? whys[p->end.why] : "";

	if (p->state != PROGRAM_ENDED)
		return "";
	if (WIFSIGNALED(p->end.status))
		return apr_psprintf(p->r->pool, "killed by signal %d%s", WTERMSIG(p->end.status), why);
	return apr_psprintf(p->r->pool, "exit status %d%s", WEXITSTATUS(p->end.status), why);
}
