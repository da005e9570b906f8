;;; What a pre-forked application does afterwards, in SBCL: the query string is the wish (test_prefork_languages.py).
;;; Without STOP_FINALIZER it keeps its second thread.
(sb-alien:load-shared-object "libfcgi.so.0")
(sb-alien:define-alien-routine ("FCGX_Accept" fcgx-accept) sb-alien:int (in (* t)) (out (* t)) (err (* t)) (envp (* t)))
(sb-alien:define-alien-routine ("FCGX_GetParam" fcgx-getparam) sb-alien:c-string (name sb-alien:c-string) (envp (* t)))
(sb-alien:define-alien-routine ("FCGX_PutStr" fcgx-putstr) sb-alien:int (text sb-alien:c-string) (n sb-alien:int) (out (* t)))
(sb-alien:define-alien-routine "getpid" sb-alien:int)

(defun child ()
  (with-output-to-string (out)
    (sb-ext:run-program "/bin/sh" '("-c" "env; ls -l /proc/self/fd") :output out)))

(defun answer (wish)
  (cond ((string= wish "wait") (sleep 0.05) "")
        ((string= wish "gc") (sb-ext:gc :full t) (format nil "gc=1~%"))
        ((string= wish "thread") (format nil "thread=~D~%" (sb-thread:join-thread (sb-thread:make-thread (lambda () 1)))))
        ((string= wish "child") (child))
        (t "")))

(when (sb-ext:posix-getenv "STOP_FINALIZER")
  (sb-impl::finalizer-thread-stop))

(sb-alien:with-alien ((in (* t)) (out (* t)) (err (* t)) (envp (* t)))
  (loop while (zerop (fcgx-accept (sb-alien:cast (sb-alien:addr in) (* t)) (sb-alien:cast (sb-alien:addr out) (* t))
                                  (sb-alien:cast (sb-alien:addr err) (* t)) (sb-alien:cast (sb-alien:addr envp) (* t))))
        do (let ((text (format nil "Content-Type: text/plain~C~%~C~%~Apid=~D~%" #\Return #\Return
                               (answer (or (fcgx-getparam "QUERY_STRING" envp) "")) (getpid))))
             (fcgx-putstr text (length text) out))))
