;;; Hello over FastCGI, by Debian's clisp-module-fastcgi: the listening socket is descriptor 0.
(require "fastcgi")

(defun escape (text)
  "TEXT with what HTML takes for markup replaced."
  (with-output-to-string (out)
    (loop for char across (or text "")
          do (case char
               (#\& (write-string "&amp;" out))
               (#\< (write-string "&lt;" out))
               (#\> (write-string "&gt;" out))
               (t (write-char char out))))))

(loop while (fastcgi:accept)
      do (fastcgi:write-stdout
          (format nil "Content-Type: text/html; charset=utf-8~C~%~C~%<!doctype html>~%<title>fcgipm: Lisp</title>~%~
                       <h1>Hello from ~A</h1>~%<p>Process ~D, asked for ~A.~%"
                  #\Return #\Return (lisp-implementation-type) (os:process-id) (escape (fastcgi:getenv "REQUEST_URI"))))
         (fastcgi:finish))
