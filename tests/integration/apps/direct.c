/* A FastCGI responder without libfcgi, for what a library must cope with (test_prefork_fallbacks.py); WAY says how it goes about it:
 *
 *   accept    waits in accept               epoll    waits with epoll
 *   thread    has a second thread           syscall  never calls accept() of the C library
 *   close     closes what it does not know  exit     ends before its first accept, the first time (GATE)
 *   threads   four threads accept           fork     a child of its own serves each connection
 *   abort     is not to be forked, and ends in a process that was
 *   hang      has a handler for a fork that does not return, or (slow) takes 600 ms
 *   sigwait   a thread waits for TERM, says so and ends the process in its time; the other accepts
 *   pipe, signalfd, mask   wait by ppoll, and learn of TERM by a pipe of the handler's, by signalfd(2), or by the mask alone; all look only there for it
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned char end_of_input[8] = {1, 5, 0, 1};

/* Its requests are small and end with an empty record of input. */
static void serve(int c)
{
	unsigned char in[65536], out[256] = {1, 6, 0, 1}, end[16] = {1, 3, 0, 1, 0, 8};
	size_t len = 0;
	ssize_t n;
	int text;

	while (len < sizeof(in) && (n = read(c, in + len, sizeof(in) - len)) > 0) {
		len += (size_t)n;
		if (len >= 8 && memcmp(in + len - 8, end_of_input, 8) == 0)
			break;
	}
	text = snprintf((char *)out + 8, sizeof(out) - 8, "Content-Type: text/plain\r\n\r\npid=%d\n", (int)getpid());
	out[5] = (unsigned char)text;
	if (write(c, out, (size_t)text + 8) > 0 && write(c, end, sizeof(end)) > 0)
		shutdown(c, SHUT_WR);
	close(c);
}

static void *sleep_on(void *ctx)
{
	(void)ctx;
	for (;;)
		sleep(1000);
	return NULL;
}

static void wait_with_epoll(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &e);
	for (;;)
		if (epoll_wait(epoll, &e, 1, -1) > 0)
			serve(accept(0, NULL, NULL));
}

static void *accept_on(void *ctx)
{
	for (;;)
		serve(accept(0, NULL, NULL));
	return ctx;
}

static void hang(void)
{
	for (;;)
		pause();
}

static void slow(void)
{
	usleep(600000);
}

static void serve_by_children(void)
{
	signal(SIGCHLD, SIG_IGN); /* nobody asks how they ended */
	for (;;) {
		int c = accept(0, NULL, NULL);

		if (fork() == 0) {
			usleep(20000); /* its parent is back in accept by then */
			serve(c);
			_exit(0);
		}
		close(c);
	}
}

static int told[2];

static void tell(int signo)
{
	(void)!write(told[1], "", (size_t)(signo != 0));
}

/* In each process that is forked, or a byte of one would be all others'. */
static void open_pipe(void)
{
	if (pipe(told) < 0)
		abort();
}

static void accept_one(void)
{
	int c = accept(0, NULL, NULL);

	if (c >= 0)
		serve(c);
}

static void wait_to_be_told(const char *way)
{
	struct pollfd p[] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
	sigset_t term, none;
	int fd = -1;

	fcntl(0, F_SETFL, O_NONBLOCK); /* another may have taken what it was woken for */
	sigemptyset(&none);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (strcmp(way, "pipe") != 0)
		sigprocmask(SIG_BLOCK, &term, NULL);
	if (strcmp(way, "signalfd") == 0) {
		fd = signalfd(-1, &term, SFD_CLOEXEC);
	} else {
		open_pipe();
		pthread_atfork(NULL, NULL, open_pipe);
		signal(SIGTERM, tell);
	}
	for (;;) {
		p[1].fd = fd >= 0 ? fd : told[0];
		if (ppoll(p, 2, NULL, strcmp(way, "mask") == 0 ? &none : NULL) < 0 && errno == EINTR)
			continue;
		if ((p[1].revents & POLLIN) != 0)
			exit(0);
		if ((p[0].revents & POLLIN) != 0)
			accept_one();
	}
}

static void *end_in_order(void *ctx)
{
	sigset_t term;
	int signo;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigwait(&term, &signo);
	usleep(500000);
	fprintf(stderr, "in order\n");
	exit(0);
	return ctx;
}

int main(void)
{
	const char *way = getenv("WAY"), *gate = getenv("GATE");
	pid_t born = getpid();
	pthread_t t;

	if (way == NULL)
		way = "accept";
	if (strcmp(way, "thread") == 0)
		pthread_create(&t, NULL, sleep_on, NULL);
	for (int i = 0; i < 3 && strcmp(way, "threads") == 0; i++)
		pthread_create(&t, NULL, accept_on, NULL);
	if (strcmp(way, "sigwait") == 0) {
		sigset_t term;

		sigemptyset(&term);
		sigaddset(&term, SIGTERM);
		sigprocmask(SIG_BLOCK, &term, NULL);
		pthread_create(&t, NULL, end_in_order, NULL);
	}
	if (strcmp(way, "hang") == 0)
		pthread_atfork(hang, NULL, NULL);
	if (strcmp(way, "slow") == 0)
		pthread_atfork(slow, NULL, NULL);
	if (strcmp(way, "fork") == 0)
		serve_by_children();
	if (strcmp(way, "close") == 0)
		for (int fd = 3; fd < 256; fd++)
			close(fd);
	if (strcmp(way, "exit") == 0 && gate != NULL && access(gate, F_OK) == 0 && unlink(gate) == 0)
		return 0;
	if (strcmp(way, "epoll") == 0)
		wait_with_epoll();
	if (strcmp(way, "pipe") == 0 || strcmp(way, "signalfd") == 0 || strcmp(way, "mask") == 0)
		wait_to_be_told(way);
	for (;;) {
		int c = strcmp(way, "syscall") == 0 ? (int)syscall(SYS_accept4, 0, NULL, NULL, 0) : accept(0, NULL, NULL);

		if (strcmp(way, "abort") == 0 && getpid() != born)
			abort();
		if (c >= 0)
			serve(c);
	}
}
