/** A word or phrase that readers stumble over, and a replacement. */
export interface Rule {
  readonly pattern: RegExp
  readonly write: string
  /** Allowed number on one page; otherwise 0. */
  readonly allowed?: number
}

/** Matches a phrase whose words may be on two lines. */
const phrase = (text: string): RegExp => new RegExp(`(?<![\\w\`-])(?:${text.replaceAll(' ', '\\s+')})(?![\\w\`-])`, 'g')

/**
 * The words that are out. Each pattern is narrow enough to spare the ordinary meaning: "leaves nothing behind" is fine,
 * "what stands behind `--`" is not.
 */
export const rules: readonly Rule[] = [
  { pattern: phrase('mends?|mended|mending'), write: 'fix' },
  { pattern: phrase('[Aa]new|[Oo]nce more'), write: 'again' },
  { pattern: phrase('[Hh]eed(?:s|ed|ing)?'), write: 'respect; follow' },
  { pattern: phrase('[Dd]eeds?|[Vv]igils?|[Oo]bstacles?|[Ss]cenes?'), write: 'the ordinary word for it' },
  { pattern: phrase('[Ww]hoever|[Ww]homever|[Ww]homsoever'), write: 'anyone who; the process that' },
  { pattern: phrase('[Tt]ills?(?= [a-z])|[Uu]pon|[Ee]re'), write: 'until; on; before' },
  { pattern: phrase('(?:there|where|here)(?:of|in|upon|by|to)'), write: 'of it; in it' },
  { pattern: phrase('(?:told|tells?|telling) of'), write: 'report; receive' },
  {
    pattern: phrase('(?:is|are|was|were|be|been|being) told(?! (?:to|that|not to|apart))'),
    write: 'is reported; the error names',
  },
  { pattern: phrase('(?:is|are|was|were|be|been|being) said'), write: 'is reported; the message names' },
  {
    pattern: phrase('[Bb]eside (?:it|them|itself|each other|one another|the|this|that|its|another|all)'),
    write: 'next to; in addition to; at the same time as',
  },
  { pattern: phrase('[Ss]o many'), write: 'that many; the number' },
  { pattern: phrase('(?:[Tt]akes?|[Tt]ook|[Tt]aken|[Tt]aking)(?: [\\w`.]+){0,3} away'), write: 'remove' },
  { pattern: phrase('But for'), write: 'Except' },
  {
    pattern: phrase(
      '(?:lies?|lay|lain|lying) (?:in|at|on|under|outside|inside|within|between|there|where|here|behind|by|below|above|next)',
    ),
    write: 'is in',
  },
  { pattern: phrase('where (?:\\w+ ){1,3}(?:lies?|stands?)'), write: 'where … is' },
  {
    pattern: phrase(
      '(?:[Ss]tands?|[Ss]tood|[Ss]tanding) (?:in|at|on|there|here|above|below|beside|behind|under|alone|before|after|between|twice)',
    ),
    write: 'is in; is at; is written',
  },
  { pattern: /(?<!\w)behind\s+`/g, write: 'after' },
  {
    pattern: phrase('(?:stands?|comes?|goes?|went|puts?|written|given|missing|follows?|appended|added|said) behind'),
    write: 'after',
  },
  { pattern: phrase('behind (?:the )?(?:name|command|first|last|word|colon|option|others|rest)'), write: 'after' },
  { pattern: /(?<!\w)in\s+front\s+of\s+`/g, write: 'before' },
  {
    pattern: phrase('(?:stands?|comes?|goes?|went|puts?|written|given|missing|is|are|added) in front of'),
    write: 'before',
  },
  { pattern: phrase('[Ll]ets?(?! encrypt| \\w+ =)|letting'), write: 'allow; cause' },
  {
    pattern: phrase(
      '(?:checks?|probes?|tests?|rules?|conditions?|claims?|promises?|patterns?|bounds?)(?: (?:that|must|all|does|do|not|no|longer|to|should|still|has|have|each)){0,3} holds?(?=\\s*(?:\\.|,|;|for|of|as|true|when|where|here|too|only|in every))',
    ),
    write: 'passes; is true; applies',
  },
  { pattern: phrase('held against'), write: 'compared with' },
  { pattern: phrase('of its own'), write: 'its own …; separate', allowed: 1 },
  { pattern: phrase('for who (?:is|are|has|have|does|do)'), write: 'for users who' },
  { pattern: phrase('(?:can|cannot|could|to|may) be had'), write: 'is available' },
  {
    pattern: phrase('of (?:which|whom|these|those|it) (?:nothing|no|none|one|may|there|nobody)'),
    write: 'put the subject first: "The session must not exist yet"',
  },
  { pattern: phrase('[Ww]hat (?:[\\w`-]+ ){1,6}that (?:[\\w`-]+ ){1,6}that'), write: 'two sentences' },
  { pattern: phrase('[Tt]he like'), write: 'similar ones; and so on' },
  { pattern: phrase('such a one|such ones|such one'), write: 'name the thing' },
]
