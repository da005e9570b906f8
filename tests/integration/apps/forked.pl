#!/usr/bin/perl
# What a pre-forked application does afterwards, in Perl by CGI::Fast: the query string is the wish (test_prefork_languages.py).
use strict;
use warnings;
use CGI::Fast;

my $before = rand();    # the generator is seeded before the fork
while (my $q = CGI::Fast->new) {
	my $wish = $ENV{QUERY_STRING} // '';
	print "Content-Type: text/plain\r\n\r\n";
	select(undef, undef, undef, 0.05) if $wish eq 'wait';
	print 'random=', rand(), "\n" if $wish eq 'random';
	print `env; ls -l /proc/self/fd` if $wish eq 'child';
	print "pid=$$\n";
}
