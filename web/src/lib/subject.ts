// What an event concerns, in words: the log names things by ids, people by what they are.
import type { InboxItem, LogEvent, MapData, Session, SiteCard } from './api'
import { has, t, word, type Key } from './i18n.svelte'
import { short } from './numbers'

export interface Known { map: MapData | null; inbox: InboxItem[] | null; card: SiteCard | null; session: Session | null; names: Map<string, string> }

/** concerns says what the subject of an event is; `detail` is its id, for those who look it up. */
export function concerns(event: LogEvent, known: Known): { text: string; lang?: string } {
  const id = event.subject
  const prefix = id.slice(0, Math.max(0, id.indexOf('_')))
  const key = `subject.${prefix}`
  const name = has(key) ? t(key as Key, { id: short(id) }) : id
  if (prefix === 'mis') { const mission = known.map?.missions?.find((m) => m.id === id); if (mission) return { text: `${t('map.mission')} ${mission.name}` } }
  if (prefix === 'acct') { const who = known.names.get(id); if (who) return { text: `${name}: ${who}` } }
  if (prefix === 'obs') {
    const row = known.inbox?.find((d) => d.observation.id === id)?.observation ?? known.card?.observations?.find((o) => o.id === id)
    if (row) return { text: `${name}: ${word('kind', row.kind)}, ${row.sensor}, ${row.path}` }
  }
  if (prefix === 'det') { const item = known.inbox?.find((d) => d.id === id); if (item) return { text: `${name}: ${word('detection', item.kind)}${item.site ? `, ${t('inbox.speaksFor', { site: short(item.site) })}` : ''}` } }
  if (prefix === 'case' && known.card?.case?.id === id) return { text: `${name}, ${t('site.name', { id: short(known.card.site.id) })}` }
  return { text: name }
}
