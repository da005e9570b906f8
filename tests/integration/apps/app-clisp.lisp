;;; The test application for CLISP and its FastCGI module; the query string says what to do, as in app.c.
(require "fastcgi")

(loop while (fastcgi:accept)
      do (let ((query (or (fastcgi:getenv "QUERY_STRING") "")))
           (when (and (> (length query) 6) (string= "sleep=" query :end2 6))
             (sleep (/ (parse-integer query :start 6 :junk-allowed t) 1000)))
           (fastcgi:write-stdout
            (format nil "Content-Type: text/plain~C~%~C~%pid=~D~%" #\Return #\Return (os:process-id)))
           (fastcgi:finish)))
