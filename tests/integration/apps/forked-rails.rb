# A Rails application behind Rack's FastCGI handler: the query string is the wish (test_prefork_languages.py).
ENV["RAILS_ENV"] ||= "production"
require "rails"
require "action_controller/railtie"
require "rack/handler/fastcgi"

class App < Rails::Application
  config.eager_load = true
  config.root = __dir__
  config.secret_key_base = "a" * 64
  config.hosts.clear
  config.consider_all_requests_local = true
  config.log_level = :warn
  config.logger = Logger.new($stderr)
end

class WishesController < ActionController::Base
  def show
    said = case request.query_string
           when "wait" then sleep(0.05); ""
           when "random" then "random=#{rand}#{SecureRandom.hex(4)}\n"
           when "gc" then GC.start; "gc=1\n"
           when "thread" then "thread=#{Thread.new { sleep 0.01; 1 }.value}\n"
           when "child" then `env; ls -l /proc/self/fd`
           end
    render plain: "#{said}pid=#{Process.pid}\n"
  end
end

App.initialize!
App.routes.draw { root to: "wishes#show" }
App.routes.append { match "*path", to: "wishes#show", via: :all }
if ENV["WARM"] # what a request makes once would be made by every worker
  5.times { App.call(Rack::MockRequest.env_for("/")) }
end
if ENV["COMPACT"] # what is garbage now would be copied by every worker
  4.times { GC.start }
  GC.compact
end
Rack::Handler::FastCGI.run(App)
