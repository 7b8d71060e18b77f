# The part of nixpkgs' `lib` that the flake of a Python project uses, with nixpkgs' meaning.
rec {
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    catAttrs
    concatLists
    concatMap
    concatStringsSep
    deepSeq
    elem
    elemAt
    filter
    foldl'
    functionArgs
    genList
    getAttr
    groupBy
    hasAttr
    head
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    map
    mapAttrs
    match
    partition
    removeAttrs
    replaceStrings
    seq
    sort
    split
    stringLength
    substring
    tail
    toJSON
    toString
    trace
    typeOf
    ;

  # trivial
  id = x: x;
  const = x: _: x;
  flip =
    f: a: b:
    f b a;
  pipe = foldl' (value: f: f value);
  fix =
    f:
    let
      x = f x;
    in
    x;
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  warn = message: value: trace "evaluation warning: ${message}" value;
  warnIf = condition: message: if condition then warn message else id;
  warnIfNot = condition: warnIf (!condition);
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  assertMsg = condition: message: condition || trace message false;
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: builtins.fromTOML (builtins.readFile path);

  # sources
  cleanSourceWith =
    {
      src,
      filter ? _: _: true,
      name ? "source",
    }:
    {
      outPath = builtins.path {
        inherit filter name;
        path = src;
      };
    };
  # A set of files is a list of paths here.
  fileset = {
    unions = map (file: throwIfNot (builtins.pathExists file) "there is no ${toString file}" file);
    toSource =
      { root, fileset }:
      cleanSourceWith {
        src = root;
        filter =
          path: type:
          any (
            file:
            path == toString file
            || hasPrefix "${toString file}/" path
            || type == "directory" && hasPrefix "${path}/" (toString file)
          ) fileset;
      };
  };

  # lists
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  toList = value: if isList value then value else [ value ];
  flatten = value: if isList value then concatMap flatten value else [ value ];
  unique = foldl' (seen: value: if elem value seen then seen else seen ++ [ value ]) [ ];
  subtractLists = gone: filter (value: !(elem value gone));
  intersectLists = kept: filter (value: elem value kept);
  remove = gone: filter (value: value != gone);
  last = values: elemAt values (length values - 1);
  init = values: genList (elemAt values) (length values - 1);
  take = count: values: genList (elemAt values) (min count (length values));
  drop = count: values: genList (i: elemAt values (i + count)) (max 0 (length values - count));
  reverseList =
    values:
    let
      count = length values;
    in
    genList (i: elemAt values (count - i - 1)) count;
  range = from: to: genList (i: from + i) (max 0 (to - from + 1));
  imap0 = f: values: genList (i: f i (elemAt values i)) (length values);
  imap1 = f: imap0 (i: f (i + 1));
  zipListsWith =
    f: as: bs:
    genList (i: f (elemAt as i) (elemAt bs i)) (min (length as) (length bs));
  findFirst =
    predicate: default: values:
    let
      found = filter predicate values;
    in
    if found == [ ] then default else head found;
  naturalSort = sort builtins.lessThan;

  # attribute sets
  nameValuePair = name: value: { inherit name value; };
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  mkAfter = content: {
    _type = "order";
    priority = 1500;
    inherit content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  optionalAttrs = condition: attrs: if condition then attrs else { };
  mapAttrs' = f: attrs: listToAttrs (map (name: f name attrs.${name}) (attrNames attrs));
  mapAttrsToList = f: attrs: map (name: f name attrs.${name}) (attrNames attrs);
  concatMapAttrs = f: attrs: mergeAttrsList (mapAttrsToList f attrs);
  mergeAttrsList = foldl' (merged: attrs: merged // attrs) { };
  filterAttrs =
    predicate: attrs:
    removeAttrs attrs (filter (name: !(predicate name attrs.${name})) (attrNames attrs));
  getAttrs = names: attrs: genAttrs names (name: attrs.${name});
  attrByPath =
    path: default: attrs:
    if path == [ ] then
      attrs
    else if isAttrs attrs && attrs ? ${head path} then
      attrByPath (tail path) default attrs.${head path}
    else
      default;
  hasAttrByPath =
    path: attrs:
    path == [ ]
    || isAttrs attrs && attrs ? ${head path} && hasAttrByPath (tail path) attrs.${head path};
  getAttrFromPath = path: attrs: foldl' (set: name: set.${name}) attrs path;
  setAttrByPath = path: value: foldl' (set: name: { ${name} = set; }) value (reverseList path);
  recursiveUpdate =
    left: right:
    if isAttrs left && isAttrs right then
      left
      // mapAttrs (
        name: value: if left ? ${name} then recursiveUpdate left.${name} value else value
      ) right
    else
      right;
  isDerivation = value: value.type or null == "derivation";
  recurseIntoAttrs = attrs: attrs // { recurseForDerivations = true; };

  # strings
  concatStrings = concatStringsSep "";
  concatMapStrings = f: values: concatStrings (map f values);
  concatMapStringsSep =
    separator: f: values:
    concatStringsSep separator (map f values);
  concatMapAttrsStringSep =
    separator: f: attrs:
    concatStringsSep separator (mapAttrsToList f attrs);
  concatLines = concatMapStrings (line: line + "\n");
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      start = stringLength text - stringLength suffix;
    in
    start >= 0 && substring start (-1) text == suffix;
  hasInfix = infix: text: length (splitString infix text) > 1;
  removePrefix =
    prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text:
    if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  splitString =
    separator: text: filter isString (split (escapeRegex (toString separator)) (toString text));
  escape = characters: replaceStrings characters (map (character: "\\" + character) characters);
  escapeRegex = escape [
    "\\"
    "["
    "{"
    "("
    ")"
    "^"
    "$"
    "?"
    "*"
    "+"
    "|"
    "."
  ];
  escapeShellArg =
    value:
    let
      text = toString value;
    in
    if match "[[:alnum:],._+:@%/-]+" text == null then
      "'${replaceStrings [ "'" ] [ "'\\''" ] text}'"
    else
      text;
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  toShellVar = name: value: "${name}=${escapeShellArg value}";
  lower = stringCharacters "abcdefghijklmnopqrstuvwxyz";
  upper = stringCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  toUpper = replaceStrings lower upper;
  toLower = replaceStrings upper lower;
  stringCharacters = text: genList (i: substring i 1 text) (stringLength text);
  trim = text: head (match "[ \t\r\n]*(.*[^ \t\r\n]|)[ \t\r\n]*" text);
  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: !(versionOlder a b);
  parse = value: builtins.parseDrvName (if isString value then value else value.name);
  getName = value: value.pname or (parse value).name;
  getVersion = value: value.version or (parse value).version;

  # An output that was chosen by name stays; else the output asked for, else `out`, else what there is.
  getOutput =
    output: package:
    if package.outputSpecified or false then package else package.${output} or package.out or package;
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getDev = getOutput "dev";
  getMan = getOutput "man";
  makeSearchPath =
    folder: packages:
    concatMapStringsSep ":" (package: "${package}/${folder}") (remove null packages);
  makeSearchPathOutput =
    output: folder: packages:
    makeSearchPath folder (map (getOutput output) packages);
  makeLibraryPath = makeSearchPathOutput "lib" "lib";
  makeBinPath = makeSearchPathOutput "bin" "bin";
  makeIncludePath = makeSearchPathOutput "dev" "include";

  # What Nix reads as a hash and no download has (lib/deprecated/misc.nix).
  fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

  # meta
  getExe' =
    package: program:
    assert assertMsg (isDerivation package) "lib.getExe': the first argument is no derivation";
    assert assertMsg (!hasInfix "/" program) "lib.getExe': the second argument is a path";
    "${getBin package}/bin/${program}";
  getExe =
    package:
    getExe' package (
      package.meta.mainProgram
        or (warn "getExe: ${getName package} has no meta.mainProgram" (getName package))
    );
  lowPrio = package: package;
  hiPrio = package: package;
  setName = name: package: package // { inherit name; };

  # customisation
  callPackageWith =
    scope: fileOrFunction: given:
    let
      f = if isFunction fileOrFunction then fileOrFunction else import fileOrFunction;
    in
    makeOverridable f (builtins.intersectAttrs (functionArgs f) scope // given);
  makeOverridable =
    f: arguments:
    let
      result = f arguments;
      override =
        changes:
        makeOverridable f (arguments // (if isFunction changes then changes arguments else changes));
    in
    if isAttrs result then
      result
      // {
        inherit override;
      }
      // optionalAttrs (result ? overrideAttrs) {
        # what is overridden later still ends with this change
        overrideAttrs = change: makeOverridable (given: (f given).overrideAttrs change) arguments;
      }
    else
      result;
  composeExtensions =
    first: second:
    composeManyExtensions [
      first
      second
    ];
  composeManyExtensions =
    extensions: final: previous:
    foldl' (merged: extension: merged // extension final (previous // merged)) { } extensions;
  extends =
    extension: f: final:
    let
      previous = f final;
    in
    previous // extension final previous;

  licenses = {
    asl20.spdxId = "Apache-2.0";
    bsd3.spdxId = "BSD-3-Clause";
    mit.spdxId = "MIT";
  };
  platforms = {
    linux = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    darwin = [ "aarch64-darwin" ];
    all = [
      "x86_64-linux"
      "aarch64-linux"
      "aarch64-darwin"
    ];
  };
}
