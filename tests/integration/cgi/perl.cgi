#!/usr/bin/perl
use strict;
use warnings;
read(STDIN, my $body, $ENV{CONTENT_LENGTH} || 0);
print "Content-Type: text/html\r\n\r\n<p>perl ", join(' ', @ARGV), " $ENV{SCRIPT_FILENAME} [$body]</p>\n";
warn "of perl\n";
