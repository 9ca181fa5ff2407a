// The patterns that tell the states of shards apart without colour.

export function ShardPatterns() {
  return (
    <defs>
      <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">
        <path class="stroke-restoring" d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5" />
      </pattern>
      <pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">
        <circle class="fill-draining" cx="3" cy="3" r="1.6" />
      </pattern>
      <pattern id="cross" width="7" height="7" patternUnits="userSpaceOnUse">
        <path class="stroke-failed" d="M0 0L7 7M7 0L0 7" />
      </pattern>
      <pattern id="bars" width="8" height="6" patternUnits="userSpaceOnUse">
        <path class="stroke-opening" d="M2 0V6" />
      </pattern>
    </defs>
  );
}
