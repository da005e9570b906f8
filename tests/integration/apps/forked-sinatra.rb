# A Sinatra application behind Rack's FastCGI handler: the query string is the wish (test_prefork_languages.py).
require "rack"
require "rack/handler/fastcgi"
require "sinatra/base"

class App < Sinatra::Base
  set :environment, :production

  get "/*" do
    content_type :text
    case request.query_string
    when "wait" then sleep(0.05)
    when "random" then next "random=#{rand}\npid=#{Process.pid}\n"
    when "gc" then GC.start; next "gc=1\npid=#{Process.pid}\n"
    when "thread" then next "thread=#{Thread.new { sleep 0.01; 1 }.value}\npid=#{Process.pid}\n"
    when "child" then next `env; ls -l /proc/self/fd` + "pid=#{Process.pid}\n"
    end
    "pid=#{Process.pid}\n"
  end
end

rand
Rack::Handler::FastCGI.run(App.new)
