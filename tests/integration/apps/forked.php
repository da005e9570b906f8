<?php
// What a pre-forked application does afterwards, in PHP: the query string is the wish (test_prefork_languages.py).
header('Content-Type: text/plain');
switch ($_SERVER['QUERY_STRING'] ?? '') {
case 'wait': usleep(50000); break;
case 'random': echo 'random=', mt_rand(), '-', rand(), '-', lcg_value(), "\n"; break;
case 'gc': for ($i = 0; $i < 1000; $i++) { $a = new stdClass; $a->a = $a; } echo 'gc=', gc_collect_cycles() > 0 ? 1 : 0, "\n"; break;
case 'child': echo shell_exec('env; ls -l /proc/self/fd'); break;
case 'opcache':
	$s = opcache_get_status();
	echo 'opcache=', $s['opcache_statistics']['start_time'], '-', $s['opcache_statistics']['num_cached_scripts'], '-', $s['opcache_statistics']['misses'], "\n";
	echo 'hits=', $s['opcache_statistics']['hits'], "\n";
}
echo 'pid=', getmypid(), "\n";
