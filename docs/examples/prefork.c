/* A pre-forked responder in C.  cc -o prefork prefork.c -lfcgi; -I PREFIX/include where fcgipm is installed elsewhere. */
#include <fcgi_stdio.h>
#include <unistd.h>

#include <fcgipm/prefork.h>

int main(void)
{
	int booted_by = (int)getpid(), opened_by; /* what takes long, and may be shared */

	fcgipm_prefork_here();
	opened_by = (int)getpid(); /* what each worker has for itself: a connection to a database, a thread */
	while (FCGI_Accept() >= 0)
		printf("Content-Type: text/plain\r\n\r\nbooted=%d opened=%d pid=%d\n", booted_by, opened_by, (int)getpid());
	return 0;
}
