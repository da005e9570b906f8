;;; The test application for SBCL over libfcgi by sb-alien; the query string says what to do, as in app.c.
(sb-alien:load-shared-object "libfcgi.so.0")
(sb-alien:define-alien-routine ("FCGX_Init" fcgx-init) sb-alien:int)
(sb-alien:define-alien-routine ("FCGX_Accept" fcgx-accept) sb-alien:int
  (in (* t)) (out (* t)) (err (* t)) (envp (* t)))
(sb-alien:define-alien-routine ("FCGX_GetParam" fcgx-getparam) sb-alien:c-string (name sb-alien:c-string) (envp (* t)))
(sb-alien:define-alien-routine ("FCGX_PutStr" fcgx-putstr) sb-alien:int (text sb-alien:c-string) (n sb-alien:int) (out (* t)))
(sb-alien:define-alien-routine "getpid" sb-alien:int)

(sb-alien:with-alien ((in (* t)) (out (* t)) (err (* t)) (envp (* t)))
  (loop while (zerop (fcgx-accept (sb-alien:cast (sb-alien:addr in) (* t)) (sb-alien:cast (sb-alien:addr out) (* t))
                                  (sb-alien:cast (sb-alien:addr err) (* t)) (sb-alien:cast (sb-alien:addr envp) (* t))))
        do (let ((query (or (fcgx-getparam "QUERY_STRING" envp) ""))
                 (text nil))
             (when (and (> (length query) 6) (string= "sleep=" query :end2 6))
               (sleep (/ (parse-integer query :start 6 :junk-allowed t) 1000)))
             (setf text (format nil "Content-Type: text/plain~C~%~C~%pid=~D~%" #\Return #\Return (getpid)))
             (fcgx-putstr text (length text) out))))
