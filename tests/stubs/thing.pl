#!/usr/bin/perl
# A stub in a language for which there is no SDK, written after docs/stubs.md alone: `perl thing.pl [FAULT]`.
#
# It reads and writes one message, with nothing but what comes with Perl:
#
#     message Thing { string name = 1; optional int32 stock = 2; int64 id = 3; }    // package probe.v1, proto3
#
# FAULT, if given, is a planted bug: "zero" forgets that stock was set when it was set to 0.
use strict;
use warnings;
use B ();
use JSON::PP ();

my $FAULT = $ARGV[0] // '';
my $MESSAGE = 'probe.v1.Thing';
my ($BINARY, $JSON) = (1, 2);

# --- protobuf's wire format -------------------------------------------------------------------------------------------

sub varint {
    my ($number) = @_;
    my $bytes = '';
    my @groups = map { ($number >> 7 * $_) & ($_ < 9 ? 0x7f : 1) } 0 .. 9;
    pop @groups while @groups > 1 && !$groups[-1];
    $bytes .= chr(shift(@groups) | (@groups ? 0x80 : 0)) while @groups;
    return $bytes;
}

sub tagged { my ($number, $value) = @_; return varint($number << 3) . varint($value) }
sub sized { my ($number, $bytes) = @_; return varint($number << 3 | 2) . varint(length $bytes) . $bytes }

sub read_varint {
    my ($data, $at) = @_;
    my $number = 0;
    for my $group (0 .. 9) {
        die "ends in a varint\n" if $$at >= length $$data;
        my $byte = ord substr $$data, $$at++, 1;
        $number |= ($byte & 0x7f) << 7 * $group;
        return $number if $byte < 0x80;
    }
    die "a varint of more than ten bytes\n";
}

sub read_bytes {
    my ($data, $at, $size) = @_;
    die "ends in a field\n" if $size < 0 || $size > length($$data) - $$at;
    $$at += $size;
    return substr $$data, $$at - $size, $size;
}

# The fields of a message as [number, wire type, value, all of its bytes]; groups are passed over whole.
sub fields {
    my ($data) = @_;
    my ($at, @fields, @open) = (0);
    while ($at < length $data) {
        my $start = $at;
        my $tag = read_varint(\$data, \$at);
        my ($number, $type) = ($tag >> 3, $tag & 7);
        die "field number $number\n" if $number < 1 || $number > 0x1fffffff;
        my $value
            = $type == 0 ? read_varint(\$data, \$at)
            : $type == 1 ? read_bytes(\$data, \$at, 8)
            : $type == 2 ? read_bytes(\$data, \$at, read_varint(\$data, \$at))
            : $type == 5 ? read_bytes(\$data, \$at, 4)
            :              undef;
        die "wire type $type\n" if $type > 5;
        push @open, [$number, $start] if $type == 3;
        if ($type == 4) {
            my $group = pop @open;
            die "a group ends that was not open\n" if !$group || $group->[0] != $number;
            $start = $group->[1];
        }
        push @fields, [$number, $type, $value, substr $data, $start, $at - $start] if !@open;
    }
    die "a group does not end\n" if @open;
    return @fields;
}

# --- the code under test: Thing as a hash, in which what is not set has no key ----------------------------------------

sub int32 { my ($number) = @_; $number &= 0xffffffff; return $number >= 2**31 ? $number - 2**32 : $number }
sub int64 { my ($number) = @_; return unpack 'q', pack 'Q', $number }

sub text_of {
    my ($bytes) = @_;
    utf8::decode(my $text = $bytes) or die "a text that is not UTF-8\n";
    return $text;
}

sub read_binary {
    my %thing = (unknown => '');
    for my $field (fields($_[0])) {
        my ($number, $type, $value, $bytes) = @$field;
        if    ($number == 1 && $type == 2) { $thing{name}  = text_of($value) }
        elsif ($number == 2 && $type == 0) { $thing{stock} = int32($value) }
        elsif ($number == 3 && $type == 0) { $thing{id}    = int64($value) }
        else                               { $thing{unknown} .= $bytes }
    }
    return \%thing;
}

sub write_binary {
    my ($thing) = @_;
    my $bytes = '';
    if (length $thing->{name}) { utf8::encode(my $name = $thing->{name}); $bytes .= sized(1, $name) }
    $bytes .= tagged(2, $thing->{stock}) if defined $thing->{stock};
    $bytes .= tagged(3, $thing->{id}) if $thing->{id};
    return $bytes . $thing->{unknown};
}

sub is_text { my ($value) = @_; return !ref $value && B::svref_2object(\$value)->FLAGS & B::SVf_POK }

sub whole_number {
    my ($value, $least, $most) = @_;
    die "no number\n" if ref $value || $value !~ /^-?(?:0|[1-9][0-9]{0,18})$/;
    my $number = 0 + $value;    # one past the range of 64 bits becomes a float, which rounds back into it
    die "out of range\n" if $number < $least || $number > $most || $number =~ /e/;
    return $number;
}

sub read_json {
    my ($json, $ignore_unknown) = @_;
    my $document = JSON::PP->new->utf8->allow_nonref->decode($json);
    die "no object\n" if ref $document ne 'HASH';
    my %thing = (unknown => '');
    for my $key (sort keys %$document) {
        my $value = $document->{$key};
        die "unknown field $key\n" if $key !~ /^(?:name|stock|id)$/ && !$ignore_unknown;
        next if !defined $value;
        if ($key eq 'name') { die "no text\n" if !is_text($value); $thing{name} = $value }
        $thing{stock} = whole_number($value, -2**31, 2**31 - 1) if $key eq 'stock';
        $thing{id} = whole_number($value, -9223372036854775808, 9223372036854775807) if $key eq 'id';
    }
    return \%thing;
}

sub write_json {
    my ($thing) = @_;
    my %document;
    $document{name} = $thing->{name} if length $thing->{name};
    $document{stock} = 0 + $thing->{stock} if defined $thing->{stock};
    $document{id} = "$thing->{id}" if $thing->{id};
    return JSON::PP->new->utf8->canonical->encode(\%document);
}

# --- what the program sees --------------------------------------------------------------------------------------------

sub integer { return sized(6, $_[0]) }
sub text { my ($text) = @_; utf8::encode($text); return sized(8, $text) }
sub observed_field { my ($name, $observation) = @_; return sized(1, sized(1, $name) . sized(2, $observation)) }

sub observation {
    my ($thing) = @_;
    my $fields = '';
    $fields .= observed_field('name', text($thing->{name})) if length $thing->{name};
    $fields .= observed_field('stock', integer($thing->{stock})) if defined $thing->{stock};
    $fields .= observed_field('id', integer($thing->{id})) if $thing->{id};
    $fields .= tagged(2, length $thing->{unknown}) if length $thing->{unknown};
    return sized(12, $fields);
}

# --- the protocol -----------------------------------------------------------------------------------------------------

sub description {
    return sized(111, tagged(1, 1) . sized(2, 'perl') . sized(3, 'thing') . sized(4, "$^V") . sized(6, $MESSAGE)
        . sized(7, varint($BINARY) . varint($JSON)) . tagged(9, 1));
}

# The result and the observation of a Response.
sub answer {
    my (%request) = @_;
    return description() if exists $request{111};
    my ($input) = grep { exists $request{$_} } 1, 2, 100;
    return sized(5, 'this stub does not do that') if !$input || ($request{4} // '') ne $MESSAGE || $request{101};
    my $thing = eval { $input == 1 ? read_binary($request{1}) : read_json($request{$input}, ($request{5} // 0) == 3) };
    return sized(1, $@ =~ s/\n.*//sr || 'refused') if !$thing;
    delete $thing->{stock} if $FAULT eq 'zero' && !$thing->{stock};
    my $seen = $request{104} ? sized(101, observation($thing)) : '';
    my $output = $request{3} // 0;
    return $seen if !$output;
    return $seen . sized(3, write_binary($thing)) if $output == $BINARY;
    return $seen . sized($input == 100 ? 100 : 4, write_json($thing)) if $output == $JSON;
    return $seen . sized(5, "this stub does not write format $output");
}

binmode STDIN;
binmode STDOUT;
my $held = '';
while (sysread STDIN, my $chunk, 1 << 16) {
    $held .= $chunk;
    my ($at, $answers) = (0, '');
    while (length($held) - $at >= 4) {
        my $size = unpack 'V', substr $held, $at, 4;
        last if length($held) - $at - 4 < $size;
        my %request = map { $_->[0] => $_->[2] } fields(substr $held, $at + 4, $size);
        my $response = answer(%request) . tagged(102, $request{102} // 0);
        $answers .= pack('V', length $response) . $response;
        $at += 4 + $size;
    }
    substr $held, 0, $at, '';
    while (length $answers) { substr $answers, 0, syswrite(STDOUT, $answers) // exit(1), '' }
}
