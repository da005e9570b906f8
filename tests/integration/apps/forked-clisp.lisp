;;; What a pre-forked application does afterwards, in CLISP: the query string is the wish (test_prefork_languages.py).
(require "fastcgi")

(defun child ()
  (with-output-to-string (out)
    (let ((in (ext:run-shell-command "env; ls -l /proc/self/fd" :output :stream)))
      (loop for line = (read-line in nil) while line do (write-line line out)))))

(loop while (fastcgi:accept)
      do (let* ((wish (or (fastcgi:getenv "QUERY_STRING") ""))
                (text (cond ((string= wish "wait") (sleep 0.05) "")
                            ((string= wish "gc") (ext:gc) (format nil "gc=1~%"))
                            ((string= wish "child") (child))
                            (t ""))))
           (fastcgi:write-stdout
            (format nil "Content-Type: text/plain~C~%~C~%~Apid=~D~%" #\Return #\Return text (os:process-id)))
           (fastcgi:finish)))
