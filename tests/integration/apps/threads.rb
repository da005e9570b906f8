# Four threads of it accept.
require "socket"

LISTENER = UNIXServer.for_fd(0)

def record(kind, body = "") = [1, kind, 1, body.bytesize, 0, 0].pack("CCnnCC") + body

def serve(connection)
  data = +""
  data << connection.readpartial(65536) until data.end_with?(record(5))
  sleep 0.02
  connection.write(record(6, "Content-Type: text/plain\r\n\r\npid=#{Process.pid}\nthreads=#{Thread.list.size}\n") + record(6) + record(3, "\0" * 8))
  connection.close
end

3.times { Thread.new { loop { serve(LISTENER.accept) } } }
loop { serve(LISTENER.accept) }
