<?php
// The test application for php-cgi; the query string says what to do, as in app.c.
header('Content-Type: text/plain');
$query = $_SERVER['QUERY_STRING'] ?? '';
if (preg_match('/^sleep=(\d+)/', $query, $m)) usleep($m[1] * 1000);
if (preg_match('/^exit=(\d+)/', $query, $m)) exit((int)$m[1]);
if ($query === 'echo') { echo file_get_contents('php://input'); exit; }
echo 'pid=', getmypid(), "\n";
