#!/bin/sh
echo "Content-Type: text/plain"
echo
echo "sh $(id -un) $REQUEST_METHOD $QUERY_STRING $(pwd)"
echo "to standard error" >/dev/stderr
cat
