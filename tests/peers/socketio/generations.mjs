// What tells the two generations of the service apart on the wire.

const v1 = {
  send: '/api/agent/chat/send',
  history: '/api/agent/stream/comments',
  isHistoryPublic: false,
  sendRoom: 'userDbId',
  historyRoom: 'userDbId',
  before: 'beforeId',
  live: ({ id, author, text, at }) => ({
    _id: id,
    type: 'message',
    // Whose id it is stands nowhere.
    author: { fusername: author.name, walletAddress: `0x${author.id}` },
    text,
    timestamp: at,
  }),
  past: (messages) => ({
    comments: messages.map(({ id, author, text, at }) => ({
      id,
      username: author.name,
      message: text,
      timestamp: new Date(at).toISOString(),
    })),
  }),
  confirmJoin: (socket, roomId) => socket.emit('joinedRoom', { roomId }),
};

const v2 = {
  send: '/api/v1/agent/stream/chat/send',
  history: '/api/v1/chat/',
  isHistoryPublic: true,
  sendRoom: 'destination_user_id',
  historyRoom: 'streamer_id',
  before: 'before_chat_event_id',
  live: ({ id, author, text, at }, { room, session }) => ({
    _id: id,
    type: 'message',
    sender_user_id: author.id,
    sender_username: author.name,
    streamer_id: room,
    session_id: session,
    text,
    timestamp: String(at),
  }),
  past: (messages) => ({
    chats: messages.map(({ id, author, text, at }) => ({
      _id: id,
      type: 'message',
      sender_user_id: author.id,
      sender_username: author.name,
      text,
      timestamp: String(at),
      tip_data: null,
      trade_data: null,
    })),
  }),
  // This one says nothing.
  confirmJoin: () => {},
};

export const generations = { v1, v2 };
