// EventSource and fetch, without any GraphQL library. EventSource reconnects by itself and says which event it had last;
// what it asks for stays the same.
import { EventSource } from 'eventsource';
import { INBOX, INVITE, NOTIFICATIONS, dataOf } from './operations.mjs';

export async function open({ url, session }) {
  const sources = new Set();
  const once = async (query, variables) => {
    const response = await session.fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
    return dataOf(await response.json());
  };
  return {
    viewer: async () => (await once(INBOX)).viewer,
    invite: async (memberId, note) => (await once(INVITE, { memberId, note })).inviteMember,
    watch(after, next, ended) {
      const asked = new URLSearchParams({ query: NOTIFICATIONS, variables: JSON.stringify({ after }) });
      const source = new EventSource(`${url}/graphql?${asked}`, { fetch: session.fetch });
      sources.add(source);
      source.addEventListener('next', (event) => {
        const edge = dataOf(JSON.parse(event.data)).notificationReceived;
        if (event.lastEventId !== edge.cursor) ended(`the id of the event of ${edge.cursor} is ${event.lastEventId}`);
        next(edge);
      });
      source.addEventListener('complete', () => ended('completed'));
      source.addEventListener('error', (event) => {
        if (source.readyState === EventSource.CLOSED) ended(event.message);
      });
      return () => source.close();
    },
    close() {
      for (const source of sources) source.close();
    },
  };
}
