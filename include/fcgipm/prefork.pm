# Where an application that fcgipm pre-forks is forked: see prefork.h.
package Fcgipm;
use strict;
use warnings;

# What stands before the call happens once, what stands behind it in every worker.
sub prefork_here {
	my $listener = '';
	vec($listener, 0, 1) = 1;
	select($listener, undef, undef, 0);
	return;
}

1;
