/* How a process is forked so that its language's runtime knows: signal threads, locks and random generators are theirs.  Their functions are found by name, when
 * an application has booted; where dlsym() is not at hand (before glibc 2.34, in a program without libdl) there is none of these languages. */
#include <dlfcn.h>

#include "fcgipm/prefork/prefork.h"

#pragma weak dlsym
#pragma weak dladdr
extern pid_t __fork(void) __attribute__((weak)); /* musl has none, and dlsym() always */

#define FIND_IN(where, name) (dlsym != NULL ? dlsym(where, name) : NULL)

/* ---- pthread_atfork(): a clone by hand runs nobody's handlers, so they are noted as they are registered ---- */

enum { BEFORE, IN_PARENT, IN_CHILD, HANDLERS_MAX = 256 };
typedef void (*handler)(void);

static handler handlers[HANDLERS_MAX][3];
static unsigned handler_count;
static bool only_here; /* the C library's own list could not be reached */

/* The C library calls this for pthread_atfork().  Its own list serves fork(), ours hook_clone(). */
EXPORT int __register_atfork(handler before, handler parent, handler child, void *object)
{
	int (*real)(handler, handler, handler, void *);

	*(void **)&real = FIND_IN(RTLD_NEXT, "__register_atfork");
	if (handler_count < HANDLERS_MAX)
		memcpy(handlers[handler_count++], (handler[]){before, parent, child}, sizeof(handlers[0]));
	return (only_here = real == NULL) ? 0 : real(before, parent, child, object);
}

static void run_handlers(int when)
{
	for (unsigned i = 0; i < handler_count; i++) { /* pthread_atfork(3): before in reverse order */
		handler *h = handlers[when == BEFORE ? handler_count - 1 - i : i];

		for (int k = BEFORE; when == BEFORE && dladdr != NULL && k <= IN_CHILD; k++) /* what registered it may have been unloaded */
			if (h[k] != NULL && dladdr((void *)(uintptr_t)h[k], &(Dl_info){0}) == 0)
				h[k] = NULL;
		if (h[when] != NULL)
			h[when]();
	}
}

static __thread bool forking __attribute__((tls_model("initial-exec"))); /* Ruby's fork() is to make a worker, once: a handler may fork, too */

static pid_t with_handlers(pid_t (*process)(void))
{
	bool again = __atomic_exchange_n(&forking, false, __ATOMIC_RELAXED);

	run_handlers(BEFORE);
	pid_t pid = process();
	forking = again && pid < 0; /* Ruby tries it once more */
	run_handlers(pid == 0 ? IN_CHILD : IN_PARENT);
	return pid;
}

/* ---- the languages: Ruby's own fork starts threads anew and seeds generators; it calls fork() ---- */

#define FUNCTION(name, result, ...) static result (*name)(__VA_ARGS__)
#define HAS(name)                   ((*(void **)&name = FIND_IN(RTLD_DEFAULT, #name)) != NULL)
FUNCTION(ruby_thread_has_gvl_p, int, void);
FUNCTION(rb_thread_call_with_gvl, void *, void *(*)(void *), void *);
FUNCTION(rb_eval_string_protect, unsigned long, const char *, int *);
FUNCTION(PyGILState_Ensure, int, void);
FUNCTION(PyGILState_Release, void, int);
static handler PyOS_BeforeFork, PyOS_AfterFork_Child, PyOS_AfterFork_Parent;
FUNCTION(Perl_eval_pv, void *, void *, const char *, int);
FUNCTION(Perl_get_context, void *, void);
static pid_t forked;
static enum { NONE, RUBY, PYTHON, PERL } language;

/* What code gives, and forked as a side effect; false is 0.  accept() is called without the lock. */
static void *ruby_eval(void *code)
{
	return (void *)rb_eval_string_protect(code, &(int){0});
}

static bool ruby(const char *code)
{
	return (ruby_thread_has_gvl_p() ? ruby_eval((void *)(uintptr_t)code) : rb_thread_call_with_gvl(ruby_eval, (void *)(uintptr_t)code)) != NULL;
}

/* Looks in no forked worker: that touches a page of each library, and changes some of the C library's. */
bool runtime_copes_with_threads(void)
{
	language = HAS(rb_eval_string_protect) && HAS(ruby_thread_has_gvl_p) && HAS(rb_thread_call_with_gvl) ? RUBY
		   : HAS(PyGILState_Ensure) && HAS(PyGILState_Release) && HAS(PyOS_BeforeFork) && HAS(PyOS_AfterFork_Child) && HAS(PyOS_AfterFork_Parent)
			   ? PYTHON
		   : HAS(Perl_eval_pv) && HAS(Perl_get_context) ? PERL
								: NONE;
	if (language == RUBY && ruby("Thread.list.size > 1"))
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	return language == RUBY;
}

pid_t runtime_fork(void)
{
	forked = -1;
	forking = language == RUBY;
	if (language == RUBY) {
		while (call(SYS_rt_sigtimedwait, (long)&(uint64_t){~0ULL}, 0, (long)&(struct timespec){0}, sizeof(uint64_t)) > 0)
			; /* what has come meanwhile is forgotten */
		hook_signals(true); /* a new worker has those that its template has */
		ruby("Process.fork rescue nil"); /* an exception would stay in $! for all later workers */
		hook_signals(forked == 0);
	} else if (language == PYTHON) {
		int state = PyGILState_Ensure();
		PyOS_BeforeFork(); /* as os.fork() */
		forked = with_handlers(hook_clone);
		(forked == 0 ? PyOS_AfterFork_Child : PyOS_AfterFork_Parent)();
		PyGILState_Release(state);
	} else if ((forked = with_handlers(hook_clone)) == 0 && language == PERL) {
		Perl_eval_pv(Perl_get_context(), "srand", 0); /* all else is right by itself */
	}
	return forked;
}

/* The application's own children are none of ours. */
EXPORT pid_t fork(void)
{
	pid_t (*real)(void), pid;

	if (forking)
		return forked = with_handlers(hook_clone);
	prefork.forks++;
	*(void **)&real = dlsym != NULL ? dlsym(RTLD_NEXT, "fork") : (void *)__fork;
	pid = only_here ? with_handlers(real) : real();
	prefork.on = prefork.on && pid != 0;
	return pid;
}
