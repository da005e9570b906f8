# Hello over FastCGI, by Debian's ruby-fcgi: the listening socket is descriptor 0.
require "fcgi"
require "cgi"

FCGI.each do |request|
  uri = CGI.escapeHTML(request.env["REQUEST_URI"].to_s)
  request.out.print "Content-Type: text/html; charset=utf-8\r\n\r\n",
                    "<!doctype html>\n<title>fcgipm: Ruby</title>\n<h1>Hello from Ruby #{RUBY_VERSION}</h1>\n",
                    "<p>Process #{Process.pid}, uid #{Process.uid}, asked for #{uri}.\n"
  request.finish
end
