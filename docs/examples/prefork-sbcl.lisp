;;; A pre-forked responder in SBCL, by libfcgi.  In pools.yaml: environment: {FCGIPM_ADAPTERS: /usr/share/fcgipm/adapters}
(load (concatenate 'string (sb-ext:posix-getenv "FCGIPM_ADAPTERS") "/fcgipm/prefork.lisp"))
(sb-alien:load-shared-object "libfcgi.so.0")
(sb-alien:define-alien-routine ("FCGX_Init" fcgx-init) sb-alien:int)
(sb-alien:define-alien-routine ("FCGX_Accept" fcgx-accept) sb-alien:int (in (* t)) (out (* t)) (err (* t)) (envp (* t)))
(sb-alien:define-alien-routine ("FCGX_PutStr" fcgx-putstr) sb-alien:int (text sb-alien:c-string) (n sb-alien:int) (out (* t)))
(sb-alien:define-alien-routine "getpid" sb-alien:int)

(defvar *booted-by* (getpid)) ; what takes long, and may be shared
(fcgipm:prefork-here)
(defvar *opened-by* (getpid)) ; what each worker has for itself: a connection to a database, a thread

(sb-alien:with-alien ((in (* t)) (out (* t)) (err (* t)) (envp (* t)))
  (loop while (zerop (fcgx-accept (sb-alien:cast (sb-alien:addr in) (* t)) (sb-alien:cast (sb-alien:addr out) (* t))
                                  (sb-alien:cast (sb-alien:addr err) (* t)) (sb-alien:cast (sb-alien:addr envp) (* t))))
        do (let ((text (format nil "Content-Type: text/plain~C~%~C~%booted=~D opened=~D pid=~D~%" #\Return #\Return
                               *booted-by* *opened-by* (getpid))))
             (fcgx-putstr text (length text) out))))
