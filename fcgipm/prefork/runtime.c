/* How a process is forked so that its language's runtime knows: signal threads, locks and random generators are theirs.  Their functions are looked for by
 * name, when the first worker is asked for. */
#include "fcgipm/prefork/prefork.h"

/* ---- pthread_atfork(): a clone by hand runs nobody's handlers, so they are noted as they are registered ---- */

enum { HANDLERS_MAX = 32 };
typedef void handler(void);

static struct {
	handler *run[3]; /* before, in the parent, in the child */
} handlers[HANDLERS_MAX];
static unsigned handler_count;

/* The C library calls this for pthread_atfork().  Its own list serves fork(), ours hook_clone(). */
EXPORT int __register_atfork(handler *before, handler *parent, handler *child, void *object)
{
	static int (*real)(handler *, handler *, handler *, void *);

	if (real == NULL)
		*(void **)&real = symbol_find("__register_atfork");
	if (handler_count < HANDLERS_MAX) {
		handlers[handler_count].run[0] = before;
		handlers[handler_count].run[1] = parent;
		handlers[handler_count++].run[2] = child;
	}
	return real != NULL ? real(before, parent, child, object) : 0;
}

static void run_handler(unsigned i, int when)
{
	handler *h = handlers[i].run[when];
	void *address;

	*(handler **)&address = h;
	if (h != NULL && symbol_is_mapped(address)) /* what registered it may have been unloaded */
		h();
}

void runtime_handlers(int when)
{
	for (unsigned i = 0; i < handler_count; i++)
		run_handler(when == 0 ? handler_count - 1 - i : i, when); /* pthread_atfork(3): before in reverse order */
}

static long plain(void)
{
	long pid;

	runtime_handlers(0);
	pid = hook_clone();
	runtime_handlers(pid == 0 ? 2 : 1);
	return pid;
}

/* ---- the languages ---- */

#define FUNCTION(name, result, ...) static result (*name)(__VA_ARGS__)
#define FIND(name)                  ((*(void **)&name = symbol_find(#name)) != NULL)

/* Ruby: its own fork starts the timer thread anew and gives the random generator another seed; it calls fork(), which makes a worker while forking is set. */
FUNCTION(ruby_thread_has_gvl_p, int, void);
FUNCTION(rb_thread_call_with_gvl, void *, void *(*)(void *), void *);
FUNCTION(rb_eval_string_protect, unsigned long, const char *, int *);
static long ruby_pid;

static void *ruby_eval(void *ctx)
{
	int state = 0;

	(void)ctx;
	ruby_pid = -1;
	prefork.forking = true;
	rb_eval_string_protect("Process.fork", &state);
	prefork.forking = false;
	return NULL;
}

static bool has_ruby(void)
{
	return FIND(rb_eval_string_protect) && FIND(ruby_thread_has_gvl_p) && FIND(rb_thread_call_with_gvl);
}

static long ruby_fork(void)
{
	if (ruby_thread_has_gvl_p())
		ruby_eval(NULL);
	else
		rb_thread_call_with_gvl(ruby_eval, NULL); /* accept() is called without the lock */
	return ruby_pid;
}

/* Python (os.fork() does the same). */
FUNCTION(PyGILState_Ensure, int, void);
FUNCTION(PyGILState_Release, void, int);
FUNCTION(PyOS_BeforeFork, void, void);
FUNCTION(PyOS_AfterFork_Parent, void, void);
FUNCTION(PyOS_AfterFork_Child, void, void);

static bool has_python(void)
{
	return FIND(PyGILState_Ensure) && FIND(PyGILState_Release) && FIND(PyOS_BeforeFork) && FIND(PyOS_AfterFork_Parent) && FIND(PyOS_AfterFork_Child);
}

static long python_fork(void)
{
	int state = PyGILState_Ensure();
	long pid;

	PyOS_BeforeFork();
	pid = plain();
	if (pid == 0)
		PyOS_AfterFork_Child();
	else
		PyOS_AfterFork_Parent();
	PyGILState_Release(state);
	return pid;
}

/* Perl: all but the seed of rand() is right by itself. */
FUNCTION(Perl_eval_pv, void *, void *, const char *, int);
static void *(*Perl_get_context)(void);

static bool has_perl(void)
{
	return FIND(Perl_eval_pv) && FIND(Perl_get_context);
}

static long perl_fork(void)
{
	long pid = plain();

	if (pid == 0)
		Perl_eval_pv(Perl_get_context(), "srand", 0);
	return pid;
}

static bool always(void)
{
	return true;
}

static const struct language {
	bool (*is)(void);
	long (*fork)(void);
	bool copes_with_threads;
} languages[] = {
	{has_ruby, ruby_fork, true},
	{has_python, python_fork, false},
	{has_perl, perl_fork, false},
	{always, plain, false},
};

static const struct language *language(void)
{
	static const struct language *known;

	for (unsigned i = 0; known == NULL; i++)
		if (languages[i].is())
			known = &languages[i];
	return known;
}

long runtime_fork(void)
{
	return language()->fork();
}

bool runtime_copes_with_threads(void)
{
	return language()->copes_with_threads;
}

extern int __fork(void) __attribute__((weak));

/* The application's own children are none of ours. */
EXPORT int fork(void)
{
	static int (*real)(void);
	int pid;

	if (prefork.forking)
		return (int)(ruby_pid = hook_clone());
	if (real == NULL && __fork == NULL)
		*(void **)&real = symbol_find("fork");
	pid = __fork != NULL ? __fork() : real();
	prefork.on = prefork.on && pid != 0;
	return pid;
}
