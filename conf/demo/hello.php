<?php
header('Content-Type: text/html; charset=utf-8');
?>
<!doctype html>
<title>fcgipm: PHP</title>
<h1>Hello from PHP <?= PHP_VERSION ?></h1>
<p>Process <?= getmypid() ?>, uid <?= fileowner('/proc/self') ?>, asked for <?= htmlspecialchars($_SERVER['REQUEST_URI'] ?? '') ?>.
<p>Reload the page: the process number is that of the worker that answers.
