#!/usr/bin/perl
# The test application for Perl's FCGI; the query string says what to do, as in app.c.
use strict;
use warnings;
use FCGI;

my %env;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%env);
while ($request->Accept() >= 0) {
	my $query = $env{QUERY_STRING} // '';
	select(undef, undef, undef, $1 / 1000) if $query =~ /^sleep=(\d+)/;
	print "Content-Type: text/plain\r\n\r\n";
	if ($query eq 'echo') {
		print while read(STDIN, $_, 8192);
	} else {
		print "pid=$$\n";
	}
}
