// The REST half: taking a line of the bot, giving the history.

import { ROOM } from './chat.mjs';

// Looks like nothing real. The test that starts this server configures the same.
const TOKEN = 'swordfish-not-a-real-token';
const LONGEST_BODY = 64 * 1024;

export async function handleRest(chat, request, response) {
  const { wire } = chat;
  const address = new URL(request.url, 'http://localhost');
  const isAuthorized = request.headers.authorization === `Bearer ${TOKEN}`;
  if (request.method === 'POST' && address.pathname === wire.send) {
    const body = await readJson(request);
    if (!isAuthorized) return answer(response, 401, { error: 'Unauthorized' });
    if (body?.[wire.sendRoom] !== ROOM || typeof body.message !== 'string') {
      return answer(response, 400, { error: 'Bad Request' });
    }
    const { id, at } = chat.takeAnswer(body.message);
    return answer(response, 200, { message_id: id, sent_at: new Date(at).toISOString() });
  }
  if (request.method === 'GET' && address.pathname === wire.history) {
    if (!wire.isHistoryPublic && !isAuthorized) return answer(response, 401, { error: 'Unauthorized' });
    const { searchParams: query } = address;
    if (query.get(wire.historyRoom) !== ROOM) return answer(response, 404, { error: 'Not Found' });
    const limit = Math.min(Number(query.get('limit') ?? 50), 100);
    return answer(response, 200, wire.past(chat.page(query.get(wire.before), limit)));
  }
  return answer(response, 404, { error: 'Not Found' });
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readJson(request) {
  const chunks = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size > LONGEST_BODY) return undefined;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    // No JSON, or the connection was cut in its middle.
    return undefined;
  }
}
