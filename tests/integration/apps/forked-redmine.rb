# Redmine below $REDMINE as its public/dispatch.fcgi runs it; each answer says who gave it (test_prefork_redmine.py).
require "#{ENV.fetch("REDMINE")}/config/boot"
require "#{ENV.fetch("REDMINE")}/config/environment"

Rack::Handler::FastCGI.run(lambda do |env|
  env.delete("SCRIPT_NAME")
  env["PATH_INFO"], env["QUERY_STRING"] = env["REQUEST_URI"].split("?", 2) << ""
  status, headers, body = RedmineApp::Application.call(env)
  [status, headers.merge("X-Pid" => Process.pid.to_s), body]
end)
