#!/usr/bin/awk -f
BEGIN { print "Content-Type: text/plain\n"; print "awk", ENVIRON["SCRIPT_NAME"], ENVIRON["PATH_INFO"] }
