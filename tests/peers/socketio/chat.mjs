// The chat: its history, its sockets and its REST, in either generation of the service.
//
// Going away closes the port and every connection; the history is kept, as a service keeps it in its database.

import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { generations } from './generations.mjs';
import { handleRest } from './rest.mjs';

export const ROOM = '5b7c';
export const BOT = { id: 'u-bot', name: 'showrunner' };
const SESSION = 's1';
const VIEWERS = 50;

export class RetakeChat {
  constructor(generation) {
    this.wire = generations[generation];
    this.port = 0;
    // Oldest first.
    this.history = [];
    this.places = new Map();
    this.said = 0;
    // The texts that came by REST, in their order.
    this.answers = [];
    this.mostSockets = 0;
    this.waiting = [];
  }

  // ---- what viewers do

  // The text holds the number, so that the answer to it can be told from all others.
  say(count, hasId) {
    for (let i = 0; i < count; i += 1) {
      const viewer = `viewer-${this.said % VIEWERS}`;
      this.tell({ id: `u-${viewer}`, name: viewer }, `!ask ${this.said}`, hasId);
      this.said += 1;
    }
    return this.said;
  }

  // Returns what says whether all of it was said and answered, and says more of it each time that it is asked.
  flood(count, window) {
    const end = this.said + count;
    return () => {
      const waiting = this.said - this.answers.length;
      if (waiting <= window / 2) this.say(Math.min(window - waiting, end - this.said), true);
      return this.answers.length >= end;
    };
  }

  // Into the history, and to those who are in the room.
  tell(author, text, hasId) {
    const message = { number: this.history.length, id: `m${this.history.length}`, author, text, at: Date.now() };
    this.places.set(message.id, this.history.length);
    this.history.push(message);
    const live = this.wire.live(message, { room: ROOM, session: SESSION });
    if (!hasId) delete live._id;
    this.io?.to(ROOM).emit('message', live);
    return message;
  }

  // ---- what the bot does

  takeAnswer(text) {
    this.answers.push(text);
    const message = this.tell(BOT, text, true);
    this.changed();
    return message;
  }

  // The newest page, or the one before a message; newest first.
  page(before, limit) {
    const end = before === null ? this.history.length : (this.places.get(before) ?? 0);
    return this.history.slice(Math.max(0, end - limit), end).reverse();
  }

  // ---- being there

  async listen() {
    this.connections = new Set();
    this.http = createServer((request, response) => handleRest(this, request, response));
    this.http.on('connection', (connection) => {
      this.connections.add(connection);
      connection.on('close', () => this.connections.delete(connection));
    });
    this.io = new Server(this.http, { pingInterval: 1000, pingTimeout: 2000, serveClient: false });
    this.io.on('connection', (socket) => this.welcome(socket));
    await new Promise((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = this.http.address().port;
    return this.port;
  }

  // As a service that is stopped: sockets are closed and requests answered. Or, abruptly, as one whose machine dies.
  async leave(abruptly) {
    const { http, io, connections } = this;
    const closed = new Promise((resolve) => http.once('close', resolve));
    // First of all nobody gets in any more.
    http.close();
    if (abruptly) {
      for (const connection of connections) connection.resetAndDestroy();
    }
    this.io = undefined;
    await io.close();
    await closed;
    this.changed();
  }

  welcome(socket) {
    this.mostSockets = Math.max(this.mostSockets, this.openSockets());
    socket.on('joinRoom', ({ roomId }) => {
      socket.join(roomId);
      this.wire.confirmJoin(socket, roomId);
      this.changed();
    });
    socket.on('leaveRoom', ({ roomId }) => socket.leave(roomId));
    socket.on('disconnect', () => this.changed());
  }

  socketsInRoom() {
    return this.io?.sockets.adapter.rooms.get(ROOM)?.size ?? 0;
  }

  openSockets() {
    return this.io?.engine.clientsCount ?? 0;
  }

  // ---- waiting

  until(isReached) {
    if (isReached()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ isReached, resolve }));
  }

  changed() {
    const reached = this.waiting.filter(({ isReached }) => isReached());
    this.waiting = this.waiting.filter((wait) => !reached.includes(wait));
    for (const { resolve } of reached) resolve();
  }
}
