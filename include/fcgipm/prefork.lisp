;;; Where an application that fcgipm pre-forks is forked: see prefork.h.  For SBCL and CLISP.
(defpackage "FCGIPM" (:use "COMMON-LISP") (:export "PREFORK-HERE"))
(in-package "FCGIPM")

#+clisp
(ffi:def-call-out c-poll (:name "poll") (:library :default) (:language :stdc)
                  (:arguments (fds (ffi:c-ptr ffi:uint64)) (count ffi:ulong) (ms ffi:int)) (:return-type ffi:int))

;; A struct pollfd of descriptor 0 and POLLIN, as a number of 64 bits (little-endian).
(defconstant +listener+ (ash 1 32))

(defun prefork-here ()
  "What stands before the call happens once, what stands behind it in every worker."
  ;; SBCL's finalizer thread does not survive a fork; it is not started again, so finalizers run no more.
  #+sbcl (sb-impl::finalizer-thread-stop)
  #+sbcl (sb-alien:with-alien ((fds (sb-alien:unsigned 64) +listener+))
           (sb-alien:alien-funcall
            (sb-alien:extern-alien "poll" (function sb-alien:int (* (sb-alien:unsigned 64)) sb-alien:unsigned-long sb-alien:int))
            (sb-alien:addr fds) 1 0))
  #+clisp (c-poll +listener+ 1 0)
  (values))

(in-package "COMMON-LISP-USER")
