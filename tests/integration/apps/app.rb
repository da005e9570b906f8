# The test application for Debian's ruby-fcgi (pure Ruby); the query string says what to do, as in app.c.
require "fcgi"

FCGI.each do |request|
  query = request.env["QUERY_STRING"].to_s
  sleep($1.to_i / 1000.0) if query =~ /^sleep=(\d+)/
  request.out.print "Content-Type: text/plain\r\n\r\n"
  request.out.print(query == "echo" ? request.in.read : "pid=#{Process.pid}\n")
  request.finish
end
