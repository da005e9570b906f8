#!/usr/bin/perl
# Hello over FastCGI, by Debian's libfcgi-perl: the listening socket is descriptor 0.
use strict;
use warnings;
use FCGI;

my %env;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%env);
while ($request->Accept() >= 0) {
	my $uri = $env{REQUEST_URI} // '';
	$uri =~ s/([&<>"])/'&#' . ord($1) . ';'/ge;
	print "Content-Type: text/html; charset=utf-8\r\n\r\n",
		"<!doctype html>\n<title>fcgipm: Perl</title>\n<h1>Hello from Perl $^V</h1>\n",
		"<p>Process $$, uid $<, asked for $uri.\n";
}
