# A stand-in for Joystick's gateway on the real Action Cable of Rails, told what to do by its parent.
#
#   ruby server.rb TOKEN CHANNEL_ID BOT
#
# It reads one JSON request a line and writes one JSON answer a line, in the same order. The first line that it writes,
# unasked, is {"port": …}. It ends when its standard input does, so it never outlives the test.

require 'json'
require 'logger'
require 'securerandom'
require 'time'
require 'action_controller'
require 'action_cable'
require 'puma'
require 'puma/server'

TOKEN, CHANNEL_ID, BOT = ARGV
STREAM = 'gateway'
# What bots have sent, and whether they may listen.
SENT = Queue.new
SETTINGS = { rejects: false, subscribed: 0 }

class GatewayConnection < ActionCable::Connection::Base
  identified_by :token

  def connect
    self.token = request.params[:token]
    reject_unauthorized_connection unless token == TOKEN
  end
end

class GatewayChannel < ActionCable::Channel::Base
  def subscribed
    return reject if SETTINGS[:rejects]

    stream_from STREAM
    SETTINGS[:subscribed] += 1
  end

  def send_message(data)
    return transmit({ error: 'unknown channel' }) unless data['channel_id'] == CHANNEL_ID

    SENT << data['text']
    said(BOT, data['text'])
  end
end

def said(username, text)
  author = { username: username, nickname: nil, color: nil, badges: { bot: username == BOT } }
  ActionCable.server.broadcast(STREAM, {
    v: 2, type: 'new_message', id: SecureRandom.uuid, channel_id: CHANNEL_ID, occurred_at: Time.now.utc.iso8601,
    text: text, data: { author: author, text: text, visibility: 'public', emotes: [], mentions: [] }
  })
end

def reached(seconds)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  sleep 0.01 until yield || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
  { reached: yield }
end

def answer(request)
  case request['do']
  # Viewers say this many lines: 0, 1, 2, …
  when 'say' then request['count'].times { |number| said('alice', number.to_s) }
  when 'reject' then SETTINGS[:rejects] = request['rejects']
  # The end as Rails tells it when it restarts; it is there again at once.
  when 'restart' then ActionCable.server.restart
  when 'kick' then ActionCable.server.remote_connections.where(token: TOKEN).disconnect
  # Waits until so many subscriptions were ever confirmed.
  when 'subscribed' then return reached(request['seconds']) { SETTINGS[:subscribed] >= request['count'] }
  when 'sent' then return { sent: Array.new(SENT.size) { SENT.pop } }
  # Waits until there are so many connections.
  when 'connections' then return reached(request['seconds']) { ActionCable.server.connections.size == request['count'] }
  end
  {}
end

# Of the origins only the page of the same host may come, as in Rails without further settings.
ActionCable.server.config.tap do |config|
  config.logger = Logger.new($stderr, level: Logger::ERROR)
  config.cable = { 'adapter' => 'async' }
  config.connection_class = -> { GatewayConnection }
  config.allow_same_origin_as_host = true
end

puma = Puma::Server.new(->(env) { ActionCable.server.call(env) }, Puma::Events.null)
socket = puma.add_tcp_listener('127.0.0.1', 0)
puma.run
$stdout.sync = true
puts({ port: socket.addr[1] }.to_json)
$stdin.each_line { |line| puts answer(JSON.parse(line)).to_json }
# The threads of connections would go on.
exit!(0)
