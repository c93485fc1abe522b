// graphql-ws by itself: queries and mutations go over the socket, too.
import { createClient } from 'graphql-ws';
import { INBOX, INVITE, NOTIFICATIONS, backOff, dataOf, resuming } from './operations.mjs';

/** A socket that reconnects with a fresh token, and the codes with which the server closed it. */
export function socket(url, session, closes) {
  return createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    connectionParams: async () => ({ Authorization: `Bearer ${await session.token()}` }),
    retryAttempts: Infinity,
    shouldRetry: (problem) => !(problem instanceof Error), // an event of the socket, however it ended
    retryWait: backOff,
    on: {
      closed(event) {
        closes.push(event.code);
        if (event.code === 4403) session.forget();
      },
    },
  });
}

export async function open({ url, session }) {
  const closes = [];
  const client = socket(url, session, closes);
  const once = async (query, variables) => {
    for await (const result of client.iterate({ query, variables })) return dataOf(result);
  };
  return {
    closes,
    viewer: async () => (await once(INBOX)).viewer,
    invite: async (memberId, note) => (await once(INVITE, { memberId, note })).inviteMember,
    watch: (after, next, ended) => resuming(client).subscribe({ query: NOTIFICATIONS, variables: { after } }, {
      next: (result) => next(dataOf(result).notificationReceived),
      error: ended,
      complete: () => ended('completed'),
    }),
    close: () => client.dispose(),
  };
}
