;;; A pre-forked responder in CLISP and its FastCGI module.  In pools.yaml: environment: {FCGIPM_ADAPTERS: /usr/share/fcgipm/adapters}
(require "fastcgi")
(load (concatenate 'string (ext:getenv "FCGIPM_ADAPTERS") "/fcgipm/prefork.lisp"))

(defvar *booted-by* (os:process-id)) ; what takes long, and may be shared
(fcgipm:prefork-here)
(defvar *opened-by* (os:process-id)) ; what each worker has for itself: a connection to a database

(loop while (fastcgi:accept)
      do (fastcgi:write-stdout
          (format nil "Content-Type: text/plain~C~%~C~%booted=~D opened=~D pid=~D~%" #\Return #\Return
                  *booted-by* *opened-by* (os:process-id)))
         (fastcgi:finish))
