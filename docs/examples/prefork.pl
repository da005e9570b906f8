#!/usr/bin/perl
# A pre-forked responder in Perl.  In pools.yaml: environment: {PERL5LIB: /usr/share/fcgipm/adapters}
use strict;
use warnings;
use FCGI;
require 'fcgipm/prefork.pm';

my $booted_by = $$; # what takes long, and may be shared
Fcgipm::prefork_here();
my $opened_by = $$; # what each worker has for itself: a connection to a database

my %env;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%env);
while ($request->Accept() >= 0) {
	print "Content-Type: text/plain\r\n\r\nbooted=$booted_by opened=$opened_by pid=$$\n";
}
