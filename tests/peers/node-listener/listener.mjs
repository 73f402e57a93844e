// A plain chat bot, as one would write it in Node: it hears a retake.tv room and answers from a table. No plugins, no
// isolation, no journal. A benchmark's peer; see tests/benches/speed.
//
//   node listener.mjs SOCKET_URL REST_BASE
//
// It ends when its standard input does, so it never outlives the benchmark.

import { Agent, request } from 'node:http';
import { io } from 'socket.io-client';

const ROOM = '5b7c';
const BOT_ID = 'u-bot';
// Looks like nothing real. The server of the benchmark takes any.
const TOKEN = 'swordfish-not-a-real-token';
const IN_FLIGHT = 16;

const [socketUrl, restBase] = process.argv.slice(2);

const commands = new Map([
  ['ask', (words) => `answer to ${words[1]}`],
  ['discord', () => 'You find us at example.com/discord'],
  ['uptime', () => 'Since noon'],
]);

const send = new URL('agent/stream/chat/send', restBase);
const options = {
  agent: new Agent({ keepAlive: true, maxSockets: IN_FLIGHT, noDelay: true }),
  hostname: send.hostname,
  port: send.port,
  path: send.pathname,
  method: 'POST',
};

function say(message) {
  const body = JSON.stringify({ message, destination_user_id: ROOM });
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const sending = request({ ...options, headers }, (response) => {
    // Read to its end, so that the connection can be used again.
    response.resume();
    if (response.statusCode !== 200) console.error(`HTTP ${response.statusCode}`);
  });
  sending.on('error', (error) => console.error(error.message));
  sending.end(body);
}

function hear({ sender_user_id: sender, text }) {
  if (sender === BOT_ID || typeof text !== 'string' || !text.startsWith('!')) return;
  const words = text.slice(1).split(' ');
  const answer = commands.get(words[0].toLowerCase());
  if (answer) say(answer(words));
}

const { origin, pathname } = new URL(socketUrl);
const socket = io(origin, { path: pathname, transports: ['websocket'] });
socket.on('connect', () => socket.emit('joinRoom', { roomId: ROOM }));
socket.on('message', hear);

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
