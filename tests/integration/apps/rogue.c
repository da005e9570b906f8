/* An application that has been taken over and knows what it was started with (include/fcgipm/board.h).  It calls nothing that the library sees.
 * ROGUE: words (says what nobody asked), deaf (says that it is ready and hears no order), twins (forks two for each order, that claim one line),
 * garbage (writes over the whole board and rings the bell without end). */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BOARD = 3, BELL = 4, HOOK = 5, FORK = 1, READY = 2, REFUSED = 3, HELLO = 4, FAILED = 5 };

static void say(uint32_t kind, uint32_t value)
{
	const uint32_t word[] = {kind, value};

	send(HOOK, word, sizeof(word), MSG_NOSIGNAL);
}

static void words(void)
{
	char big[4096] = "";

	send(HOOK, "x", 1, MSG_NOSIGNAL);
	send(HOOK, big, sizeof(big), MSG_NOSIGNAL);
	say(FORK, 0);
	say(REFUSED, 0);
	say(REFUSED, 99);
	say(FAILED, 3);
	say(99, 0);
	for (uint32_t i = 0; i < 100; i++)
		say(HELLO, i);
	for (;;)
		say(READY, 0);
}

static void twins(void)
{
	uint32_t word[2];

	say(READY, 0);
	for (;;)
		if (syscall(SYS_read, HOOK, word, sizeof(word)) == sizeof(word))
			for (int i = 0; i < 2; i++)
				if (syscall(SYS_fork) == 0) {
					say(HELLO, word[1]);
					for (;;)
						pause();
				}
}

static void garbage(void)
{
	off_t size = lseek(BOARD, 0, SEEK_END);
	uint64_t *at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, BOARD, 0), luck = 1;

	(void)!ftruncate(BOARD, 0);
	(void)!ftruncate(BOARD, size * 2);
	for (;;) {
		for (size_t i = 0; i < (size_t)size / sizeof(*at); i++) {
			luck = luck * 6364136223846793005ULL + 1442695040888963407ULL;
			at[i] = i % 3 == 0 ? luck : i % 3 == 1 ? luck >> 61 : UINT64_MAX;
		}
		send(BELL, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

int main(void)
{
	const char *how = getenv("ROGUE");

	signal(SIGTERM, SIG_IGN);
	if (strcmp(how, "words") == 0)
		words();
	if (strcmp(how, "twins") == 0)
		twins();
	if (strcmp(how, "garbage") == 0)
		garbage();
	say(READY, 0);
	for (;;)
		pause();
}
