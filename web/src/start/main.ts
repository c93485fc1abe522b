interface Member {
  handle: string;
  name: string;
  headline?: string | null;
  photoUrl?: string | null;
}

const list = document.querySelector<HTMLUListElement>('#members')!;
const notice = document.querySelector<HTMLParagraphElement>('#status')!;

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A member's picture; their initials where there is none, or where it does not load. */
function face(member: Member): HTMLElement {
  const letters = member.name.split(/\s+/).map((word) => word.charAt(0));
  const initials = element(
    'span',
    { class: 'face', 'aria-hidden': 'true' },
    ((letters[0] ?? '') + (letters.length > 1 ? letters.at(-1) : '')).toUpperCase(),
  );
  if (!member.photoUrl) return initials;
  const picture = element('img', { class: 'face', src: member.photoUrl, alt: '', width: '52', height: '52' });
  picture.addEventListener('error', () => picture.replaceWith(initials), { once: true });
  return picture;
}

function card(member: Member): HTMLLIElement {
  const link = element(
    'a',
    {
      class: 'card',
      href: `/graphiql?as=${encodeURIComponent(member.handle)}`,
      target: '_blank',
      rel: 'noopener',
      'data-handle': member.handle,
    },
    face(member),
    element(
      'span',
      { class: 'who' },
      element('span', { class: 'name' }, member.name),
      element('span', { class: 'headline' }, member.headline || `@${member.handle}`),
      element('span', { class: 'hidden' }, ' (opens in a new window)'),
    ),
  );
  return element('li', {}, link);
}

async function load(): Promise<void> {
  notice.replaceChildren('Loading the members…');
  try {
    const response = await fetch('/dev/members', { headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const { members } = (await response.json()) as { members: Member[] };
    list.replaceChildren(...members.map(card));
    notice.replaceChildren(members.length === 0 ? 'There are no demo members on this server.' : '');
  } catch (error) {
    const again = element('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', () => void load());
    notice.replaceChildren(
      `The members could not be loaded: ${error instanceof Error ? error.message : String(error)}. `,
      again,
    );
  }
}

void load();
