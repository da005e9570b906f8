# Notes USR1 and says how often.
require "socket"

LISTENER = UNIXServer.for_fd(0)
$noted = 0
trap("USR1") { $noted += 1 }

def record(kind, body = "") = [1, kind, 1, body.bytesize, 0, 0].pack("CCnnCC") + body

loop do
  connection = LISTENER.accept
  data = +""
  data << connection.readpartial(65536) until data.end_with?(record(5))
  connection.write(record(6, "Content-Type: text/plain\r\n\r\nnoted=#{$noted}\n") + record(6) + record(3, "\0" * 8))
  connection.close
end
