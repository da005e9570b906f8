# A pre-forked responder in Ruby.  In pools.yaml: environment: {RUBYLIB: /usr/share/fcgipm/adapters}
require "fcgi"
require "fcgipm/prefork"

booted_by = Process.pid # what takes long, and may be shared
Fcgipm.prefork_here
opened_by = Process.pid # what each worker has for itself: a connection to a database, a thread

FCGI.each do |request|
  request.out.print "Content-Type: text/plain\r\n\r\nbooted=#{booted_by} opened=#{opened_by} pid=#{Process.pid}\n"
  request.finish
end
