# What a pre-forked application does afterwards, in Ruby: the query string is the wish (test_prefork_languages.py).
require "fcgi"
require "securerandom"

rand # the generator is seeded before the fork

def answer(wish)
  case wish
  when "wait" then sleep(0.05)
  when "random" then return "random=#{rand}-#{SecureRandom.hex(8)}\n"
  when "gc" then return "gc=#{GC.start.nil? && GC.compact ? 1 : 0}\n"
  when "thread" then return "thread=#{Thread.new { sleep 0.01; 1 }.value}\n"
  when "child" then return `env; ls -l /proc/self/fd`
  end
  ""
end

FCGI.each do |request|
  request.out.print "Content-Type: text/plain\r\n\r\n#{answer(request.env['QUERY_STRING'])}pid=#{Process.pid}\n"
  request.finish
end
